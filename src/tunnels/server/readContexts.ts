import type { IAsyncContext } from "../../define/asyncContext";
import { isThenable } from "../../lib/guards";
import { hasContextScope, type ContextSlots } from "../../platform/contextScope";
import type { SerializerLike } from "../../serializer/codec";

/** Reads a context header into slots; `undefined` when there is nothing to provide. Never throws. */
export type ReadContexts = (
  header: string | string[] | undefined,
  /** Ids of those that are read. Default: all. */
  accepted?: ReadonlySet<string>,
) => ContextSlots | undefined;

/**
 * Prepares the reading of async contexts that callers send along.
 *
 * Whatever is unknown, malformed or refused by its schema is ignored, entry by entry: a caller with a newer or broken
 * context must not lose its call.
 *
 * @param isAccepted whether callers may set a context. Default: any but local ones, which they never may
 */
export function createContextReader(
  registered: ReadonlyMap<string, IAsyncContext>,
  serializer: SerializerLike,
  isAccepted: (context: IAsyncContext) => boolean = () => true,
): ReadContexts {
  const contexts = new Map([...registered].filter(([, context]) => !context.isLocal && isAccepted(context)));
  if (contexts.size === 0 || !hasContextScope()) return () => undefined;
  return (header, accepted) => {
    const text = typeof header === "object" ? header[0] : header;
    if (text === undefined || text === "") return undefined;
    const slots = new Map<string, unknown>();
    for (const [id, sent] of entriesOf(text, serializer)) {
      const context = accepted === undefined || accepted.has(id) ? contexts.get(id) : undefined;
      if (context !== undefined && typeof sent === "string") fill(slots, context, sent);
    }
    return slots.size === 0 ? undefined : slots;
  };
}

function entriesOf(text: string, serializer: SerializerLike): [string, unknown][] {
  try {
    const parsed = serializer.parse<unknown>(text);
    return typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  } catch {
    return [];
  }
}

function fill(slots: Map<string, unknown>, context: IAsyncContext, text: string): void {
  try {
    const value: unknown = context.validate(context.parse(text));
    // An asynchronous schema cannot be waited for where `provide` could not either.
    if (!isThenable(value)) slots.set(context.id, value);
  } catch {
    // Ignored, as said above.
  }
}
