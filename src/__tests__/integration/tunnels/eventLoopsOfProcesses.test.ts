import { startProgram } from "../../support/program";

/** A process that opens an event, mirrors it to the peers that its standard input names, and emits it when told. */
const node = `
  const { nodeExposure, run: runNode, createHttpMixedClient } = node;
  const lines = require("node:readline").createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const nextLine = async () => JSON.parse((await lines.next()).value);
  const happened = r.event("shared.events.happened").build();
  const hook = r.hook("hook").on(happened).run(async ({ data }) => log("heard " + data)).build();
  const opened = r.tunnel.server("opened").events([happened]).build();
  const clients = [];
  const tunnels = [0, 1].map((index) =>
    r.tunnel.client("peer" + index).events([happened]).connect(() => ({
      task: async () => {},
      event: async (...call) => clients[index]?.event(...call),
      close: async () => clients[index]?.close(),
    })).build());
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "t" }, drain: { quietMs: 0 } } });
  const app = await runNode(
    r.resource("app").register([happened, hook, opened, ...tunnels, exposure]).build(),
    { logs: { printThreshold: null } },
  );
  log("url " + app.getResourceValue(nodeExposure).url);
  for (const baseUrl of await nextLine()) clients.push(createHttpMixedClient({ baseUrl, auth: { token: "t" } }));
  log("connected");
  for (;;) {
    const n = await nextLine();
    if (n === "end") break;
    await app.emitEvent(happened, n);
    log("emitted " + n);
  }
  await app.dispose();
  process.exit(0);
`;

function startNode() {
  const program = startProgram(node);
  const tell = (line: unknown): void => void program.child.stdin.write(`${JSON.stringify(line)}\n`);
  return {
    async url(): Promise<string> {
      await program.printed("/__runner\n");
      const url = program
        .lines()
        .find((line) => line.startsWith("url "))
        ?.slice(4);
      if (url === undefined) throw new Error(program.errors());
      return url;
    },
    async connect(peers: readonly string[]): Promise<void> {
      tell(peers);
      await program.printed("connected");
    },
    async emit(n: number): Promise<void> {
      tell(n);
      await program.printed(`emitted ${n}`);
    },
    /** Ends it. @returns all that it heard */
    async end(): Promise<string[]> {
      tell("end");
      await program.exited;
      return program.lines().filter((line) => line.startsWith("heard "));
    },
    [Symbol.dispose]: () => void program.child.kill(),
  };
}

it("three processes that mirror an event to each other, by every path there is, hear it once each", async () => {
  using a = startNode();
  using b = startNode();
  using c = startNode();
  const [toA, toB, toC] = await Promise.all([a.url(), b.url(), c.url()]);
  await Promise.all([a.connect([toB, toC]), b.connect([toA, toC]), c.connect([toA, toB])]);

  await a.emit(1);
  await b.emit(2);
  await c.emit(3);

  expect(await Promise.all([a.end(), b.end(), c.end()])).toEqual([
    ["heard 1", "heard 2", "heard 3"],
    ["heard 1", "heard 2", "heard 3"],
    ["heard 1", "heard 2", "heard 3"],
  ]);
}, 60_000);
