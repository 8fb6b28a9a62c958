import { quiet } from "../../__tests__/support/tunnelPair";
import { globals, memoryIdempotencyStore, r, run, type ILog, type IdempotencyStore } from "../index";

const { idempotent } = globals.tags;
const key = (id: string): string => id;
const [a, b] = ["http://a.example.com/__runner", "http://b.example.com/__runner"];
const shared: IdempotencyStore = {
  begin: async () => ({ state: "new" }),
  renew: async () => true,
  finish: async () => {},
  abandon: async () => {},
};

/** What a boot warns of, where a task with this tag is routed there. */
async function warningsOf(tag: ReturnType<typeof idempotent.with>, where: object, isPhantom = false) {
  const task = isPhantom
    ? r.task.phantom<string, string>("app.charge").tags([tag]).build()
    : r
        .task("app.charge")
        .tags([tag])
        .run(async (id: string) => id)
        .build();
  const logs: ILog[] = [];
  const listener = r
    .resource("app.logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog((log) => void logs.push(log)))
    .build();
  const tunnel = r.tunnel
    .client("app.tunnel")
    .tasks([task])
    .dependencies({ listener })
    .http(where as { readonly baseUrl: string })
    .build();
  const { dispose } = await run(r.resource("app").register([task, listener, tunnel]).build(), quiet);
  await dispose();
  return logs.filter(({ level }) => level === "warn").map(({ message }) => String(message));
}

describe("a boot warns where calls with a key go to several servers that do not share a store", () => {
  const warning =
    'Task "app.charge" is called at several endpoints, and each server remembers its keys by itself: a repetition that reaches ' +
    "another one runs again.\n  fix: give its tag globals.tags.idempotent a store that all servers share, see readmes/IDEMPOTENCY.md";

  it.each<[string, ReturnType<typeof idempotent.with>, object]>([
    ["the tag names none", idempotent.with({ key }), { endpoints: [a, b] }],
    ["it is a memory store", idempotent.with({ key, store: memoryIdempotencyStore() }), { endpoints: [a, b] }],
    ["the endpoints are not known yet", idempotent.with({ key }), { resolve: () => [a, b] }],
  ])("%s", async (_what, tag, where) => {
    expect(await warningsOf(tag, where)).toEqual([warning]);
  });

  it("a memory store of a phantom task", async () => {
    const tag = idempotent.with({ key, store: memoryIdempotencyStore() });

    expect(await warningsOf(tag, { endpoints: [a, b] }, true)).toEqual([warning]);
  });

  it.each<[string, ReturnType<typeof idempotent.with>, object, boolean]>([
    ["one address", idempotent.with({ key }), { baseUrl: a }, false],
    ["one endpoint", idempotent.with({ key }), { endpoints: [a] }, false],
    ["a store of one's own", idempotent.with({ key, store: shared }), { endpoints: [a, b] }, false],
    ["a task that is safe without a key", idempotent.with({}), { endpoints: [a, b] }, false],
    ["a phantom task, of which the server knows the store", idempotent.with({ key }), { endpoints: [a, b] }, true],
  ])("not of %s", async (_what, tag, where, isPhantom) => {
    expect(await warningsOf(tag, where, isPhantom)).toEqual([]);
  });
});
