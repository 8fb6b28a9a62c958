import type { TagLike } from "../../define/attachments";
import { idempotentTag, type IdempotentMark } from "../routing/idempotency";
import type { RemoteClient } from "./remoteClient";

/** What a client's options say of a task beside its name. */
interface NamedTask {
  readonly id: string;
  readonly streams?: true;
  readonly idempotent?: IdempotentMark;
}

/** Names to ids, as a client's options give them; a task that streams items, or whose calls may be repeated, says so. */
type Names = Readonly<Record<string, string | NamedTask | undefined>>;

/** Names that the client's `tasks` are called by, to their ids; the same for `events`. Without them it has neither. */
export interface ClientNames {
  readonly tasks?: Names | undefined;
  readonly events?: Names | undefined;
}

/** A client with calls by name, where there are names. */
export function withNames<Client extends RemoteClient>(client: Client, { tasks, events }: ClientNames): Client {
  if (tasks === undefined && events === undefined) return client;
  const { task, stream, event } = client as unknown as Record<"task" | "stream" | "event", Call>; // typed by its names
  return {
    tasks: namedCalls("tasks", tasks, task, stream),
    events: namedCalls("events", events, event),
    ...client,
  };
}

type Call = (target: string | Target, input?: unknown, options?: never) => unknown;

/** A definition, as far as calls look at it. */
type Target = { readonly id: string; readonly kind: "task"; readonly tags: readonly TagLike[] };

/**
 * Functions by name. What a module exports but the client was not given is a mistake that names its fix, since the types
 * know every export.
 */
function namedCalls(kind: "tasks" | "events", names: Names = {}, call: Call, stream?: Call): object {
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
