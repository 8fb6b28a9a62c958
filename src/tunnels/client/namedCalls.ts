/** Names to ids, as a client's options give them; a task that streams items says so. */
export type Names = Readonly<Record<string, string | { readonly id: string; readonly streams: true } | undefined>>;

type Call = (id: string, input?: unknown, options?: never) => unknown;

/**
 * Functions by name. What a module exports but the client was not given is a mistake that names its fix, since the types
 * know every export.
 */
export function namedCalls(kind: "tasks" | "events", names: Names = {}, call: Call, stream?: Call): object {
  const calls = new Map(
    Object.entries(names).map(([name, given]) => {
      const isStreamed = typeof given === "object" && given.streams;
      const id = isStreamed ? given.id : given;
      if (typeof id !== "string")
        throw new TypeError(`${kind} of a client are names and ids, and "${name}" has no id.`);
      return [name, (input?: unknown, options?: never) => ((isStreamed && stream) || call)(id, input, options)];
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
