import type { IAsyncContext } from "../../define/asyncContext";
import type { SerializerLike } from "../../serializer/codec";
import { contextHeaderBytes } from "../protocol/contextHeader";
import type { JsonCodec } from "./jsonCodec";

/**
 * Writes the active ones of some async contexts for the wire: `{ [id]: serialized value }`, in ASCII.
 *
 * @param fail makes an error of the client, which has its class
 * @returns `undefined` when none is active, as everywhere without AsyncLocalStorage
 * @throws {TunnelError} `CONTEXT_TOO_LARGE`: servers would reply with a bare 431, which says nothing
 */
export function writeContexts(
  contexts: readonly IAsyncContext[],
  serializer: SerializerLike,
  fail: JsonCodec["fail"],
): string | undefined {
  let values: Record<string, string> | undefined;
  for (const context of contexts) {
    const active = readActive(context);
    if (active !== undefined) (values ??= {})[context.id] = context.serialize(active.value);
  }
  if (values === undefined) return undefined;

  const text = serializer.stringify(values).replace(unprintable, escapeForHeader);
  if (text.length > contextHeaderBytes) {
    throw fail(
      "CONTEXT_TOO_LARGE",
      `The async contexts ${Object.keys(values).join(", ")} take ${text.length} bytes; at most ${contextHeaderBytes} can travel with a call.`,
    );
  }
  return text;
}

/** Asks first: most contexts are inactive most of the time, and the error of `use()` has its price. */
function readActive(context: IAsyncContext): { readonly value: unknown } | undefined {
  // What looks like a context may come from elsewhere, and know less.
  const { isLocal, isActive, stays }: Partial<IAsyncContext> = context;
  if (isLocal === true || isActive?.() === false || stays?.() === true) return undefined;
  try {
    return { value: context.use() as unknown };
  } catch {
    return undefined;
  }
}

/** A header carries ASCII only: RFC 9110 §5.5. */
const unprintable = /[^\x20-\x7e]/g;

/** Text beyond ASCII sits inside JSON strings; a control character can only be the space between two tokens. */
const escapeForHeader = (character: string): string =>
  character < " " ? " " : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
