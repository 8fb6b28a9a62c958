/** The application that every runtime calls, and that Node, Deno and Bun serve. */
import { Readable, Transform } from "node:stream";
import { r, globals, type InputFile } from "@bluelibs/runner";
import { nodeExposure, run, useExposureContext } from "@bluelibs/runner/node";
import { renamed, soldOut, token, visitor } from "./definitions";

interface Hanging {
  startCount: number;
  readonly started: PromiseWithResolvers;
  readonly aborted: PromiseWithResolvers;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  resolve(): void;
}

function createGate(): PromiseWithResolvers {
  let resolve!: () => void;
  const promise = new Promise<void>((onResolve) => (resolve = onResolve));
  return { promise, resolve };
}

/** Calls that hang, by the key their caller gave them. */
const hanging = new Map<string, Hanging>();

function hangingOf(key: string): Hanging {
  const known = hanging.get(key) ?? { startCount: 0, started: createGate(), aborted: createGate() };
  hanging.set(key, known);
  return known;
}

/** How often calls that hang arrived, by their key. */
export const startCounts = (): Record<string, number> =>
  Object.fromEntries([...hanging].map(([key, { startCount }]) => [key, startCount]));

const echo = r
  .task("app.echo")
  .run(async (input: unknown) => input)
  .build();

const buy = r
  .task("app.buy")
  .run(async (sku: string) => soldOut.throw({ sku, since: new Date(0) }))
  .build();

const whoAmI = r
  .task("app.whoAmI")
  .run(async () => {
    try {
      return visitor.use().name;
    } catch {
      return "nobody";
    }
  })
  .build();

const headerNames = r
  .task("app.headerNames")
  .run(async () => Object.keys(useExposureContext().headers).sort())
  .build();

const measure = r
  .task("app.measure")
  .run(async ({ file }: { file: InputFile<Readable> }) => {
    let bytes = 0;
    for await (const chunk of file.stream() as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
    return { name: file.name, type: file.type, bytes };
  })
  .build();

const letters = r
  .task("app.letters")
  .run(async (kilobytes: number) => Readable.from(kilobytesOf(kilobytes)))
  .build();

async function* kilobytesOf(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield new Uint8Array(1024).fill(120);
}

const rows = r
  .task("app.rows")
  .stream(async function* (total: number) {
    for (let id = 1; id <= total; id += 1) yield { id, at: new Date(id) };
    return { total };
  })
  .build();

const collect = r
  .task("app.collect")
  .itemInput<{ id: number; at: Date }>()
  .run(async (from: string, _dependencies, { items }) => {
    const seen: unknown[] = [];
    for await (const { id, at } of items) seen.push([id, at.getTime()]);
    return { from, seen };
  })
  .build();

const shout = r
  .task("app.shout")
  .run(async () => {
    const { req, res } = useExposureContext();
    const upperCase = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => done(null, new TextDecoder().decode(chunk).toUpperCase()),
    });
    req.pipe(upperCase).pipe(res);
  })
  .build();

const hang = r
  .task("app.hang")
  .run((key: string, _dependencies, { signal }) => {
    const call = hangingOf(key);
    call.startCount += 1;
    const { started, aborted } = call;
    started.resolve();
    return new Promise<void>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        aborted.resolve();
        reject(new Error("aborted"));
      });
    });
  })
  .build();

const awaitStart = r
  .task("app.awaitStart")
  .run(async (key: string) => hangingOf(key).started.promise)
  .build();

const awaitAbort = r
  .task("app.awaitAbort")
  .run(async (key: string) => hangingOf(key).aborted.promise)
  .build();

const finishLate = r
  .task("app.finishLate")
  .run(async (key: string) => {
    hangingOf(key).started.resolve();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return "finished";
  })
  .build();

const shoutOnRename = r
  .hook("app.hooks.shoutOnRename")
  .on(renamed)
  .run(async ({ data }) => {
    data.name = data.name.toUpperCase();
    data.at = new Date(0);
  })
  .build();

const tasks = [
  ...[echo, buy, whoAmI, headerNames, measure, letters, rows, collect],
  ...[shout, hang, awaitStart, awaitAbort, finishLate],
];

const reachable = r
  .resource("app.tunnels.reachable")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server" as const, tasks, events: [renamed], subscribable: [renamed] }))
  .build();

/** Says on what it wrote that it was released, which takes it a moment. */
export const ledger = r
  .resource("app.ledger")
  .init(async () => "open")
  .dispose(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log("released");
  })
  .build();

/** Starts it on a free port. */
export async function startServer({ items = [] }: { items?: readonly (typeof ledger)[] } = {}) {
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } });
  const app = r
    .resource("app")
    .register([soldOut, visitor, renamed, shoutOnRename, ...tasks, ...items, reachable, exposure])
    .build();
  const running = await run(app, { logs: { printThreshold: null } });
  const { port } = running.getResourceValue(nodeExposure).server?.address() as { port: number };
  return { running, baseUrl: `http://127.0.0.1:${port}/__runner` };
}
