import type { TagLike } from "../../define/attachments";
import { idempotentTag, type IdempotentMark } from "../routing/idempotency";

/** What a client's options say of a task beside its name. */
interface NamedTask {
  readonly id: string;
  readonly streams?: true;
  readonly idempotent?: IdempotentMark;
}

/** Names to ids, as a client's options give them; a task that streams items, or whose calls may be repeated, says so. */
export type Names = Readonly<Record<string, string | NamedTask | undefined>>;

type Call = (target: string | Target, input?: unknown, options?: never) => unknown;

/** A definition, as far as calls look at it. */
type Target = { readonly id: string; readonly kind: "task"; readonly tags: readonly TagLike[] };

/**
 * Functions by name. What a module exports but the client was not given is a mistake that names its fix, since the types
 * know every export.
 */
export function namedCalls(kind: "tasks" | "events", names: Names = {}, call: Call, stream?: Call): object {
  const calls = new Map(
    Object.entries(names).map(([name, given]) => {
      const { id, streams, idempotent } = typeof given === "object" ? given : ({ id: given } as Partial<NamedTask>);
      if (typeof id !== "string")
        throw new TypeError(`${kind} of a client are names and ids, and "${name}" has no id.`);
      const target = idempotent ? ({ id, kind: "task", tags: [idempotentTag(idempotent)] } as const) : id;
      return [name, (input?: unknown, options?: never) => ((streams && stream) || call)(target, input, options)];
    }),
  );
  return new Proxy(Object.freeze(Object.fromEntries(calls)), {
    get(_target, name) {
      // A client may be awaited, printed and compared.
      if (calls.has(name as string) || typeof name === "symbol" || name === "then" || name === "toJSON") {
        return calls.get(name as string);
      }
      throw new TypeError(`This client has no "${name}".\n  fix: give it by name: ${kind}: { ${name}: "<its id>" }.`);
    },
  });
}
