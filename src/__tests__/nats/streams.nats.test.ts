import { r, run, TunnelError } from "../../node";
import { natsClient, natsConnection, type NatsExposureConfig } from "../../node/nats";
import { createNatsClient, type NatsClientParts } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import {
  collect,
  contextual,
  echo,
  endless,
  numbers,
  plain,
  seen,
  visitor,
} from "../integration/streams/streamDefinitions";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";
import { quiet, startServing } from "./support/startServing";
import { startWorker } from "./support/startWorker";

const auth = { token: "s3cret" };
const cleanups = createCleanups();
let broker: NatsServer;
beforeAll(async () => void (broker = await startNatsServer()));
afterAll(() => broker[Symbol.asyncDispose]());
beforeEach(() => void seen.splice(0));
afterEach(() => cleanups.run());

async function linkTo({ url }: NatsServer = broker): Promise<NatsLink> {
  const link = await NatsLink.open(resolveConnectionConfig({ servers: url }));
  cleanups.add(() => link.close());
  return link;
}

async function connect(options: Partial<NatsClientParts> = {}) {
  const link = options.link ?? (await linkTo());
  return createNatsClient({ link, namespace: "acme", auth, offlineMs: 1000, contexts: [visitor], ...options });
}

const serve = (items: Parameters<typeof startServing>[1], config: Partial<NatsExposureConfig> = {}) =>
  cleanups.starting(startServing(broker.url, items, config));

/** Yields once, then waits for its caller to leave. */
const waiting = r
  .task("app.waiting")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    yield "here";
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    seen.push("aborted");
  })
  .build();

const turn = (): Promise<void> => new Promise(setImmediate);
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

/** Counts what it has made, in items that fill a frame each. */
function maker() {
  const made = { count: 0, ended: false };
  const task = r
    .task("app.large")
    .stream(async function* () {
      try {
        for (;;) {
          made.count += 1;
          yield "x".repeat(16_384);
        }
      } finally {
        made.ended = true;
      }
    })
    .build();
  return { made, task };
}

/** Waits until a count stands still. */
async function settled(count: () => number): Promise<number> {
  for (let last = -1; ;) {
    const now = count();
    if (now === last) return now;
    last = now;
    for (let turns = 0; turns < 200; turns++) await turn();
  }
}

it("a streamed task that a tunnel routes over NATS gives its items to whatever depends on it, in the contexts of the caller", async () => {
  await serve([numbers, contextual, visitor]);
  const remoteNumbers = r.task.phantom
    .stream<{ from: number; to: number }, number, { total: number }>(numbers.id)
    .build();
  const remoteContextual = r.task.phantom.stream<undefined, string>(contextual.id).build();
  const sum = r
    .task("caller.sum")
    .dependencies({ remoteNumbers })
    .run(async (to: number, dependencies) => {
      const stream = dependencies.remoteNumbers({ from: 1, to });
      let total = 0;
      for await (const number of stream) total += number;
      return { total, result: await stream.result };
    })
    .build();
  const tunnel = r.tunnel
    .client("caller.tunnel")
    .tasks([remoteNumbers, remoteContextual])
    .connect(natsClient({ namespace: "acme", auth }))
    .build();
  const items = [remoteNumbers, remoteContextual, sum, visitor, tunnel, natsConnection.with({ servers: broker.url })];
  const app = await cleanups.starting(run(r.resource("caller").register(items).build(), quiet));

  expect(await app.runTask(sum, 20_000)).toEqual({ total: 200_010_000, result: { total: 200_010_000 } });
  const named = visitor.provide({ name: "Ada" }, () => app.runTask(remoteContextual));
  expect(await collect(named)).toEqual(Array.from({ length: 6 }, () => "Ada"));
});

it("a reader that takes nothing suspends the task after 64 frames, and reading on wakes it", async () => {
  const { made, task } = maker();
  await serve([task]);
  const client = await connect();
  const items = client.stream<undefined, string>(task.id)[Symbol.asyncIterator]();

  await items.next();
  const madeAhead = await settled(() => made.count);
  expect(madeAhead).toBeGreaterThanOrEqual(64);
  expect(madeAhead).toBeLessThan(72);
  for (let taken = 0; taken < 100; taken++) expect((await items.next()).value).toHaveLength(16_384);
  expect(await settled(() => made.count)).toBeGreaterThan(madeAhead + 60);
  await items.return?.();
  await until(() => made.ended);
});

it("an item that is larger than a message comes in pieces", async () => {
  await serve([echo], { limits: { json: { maxSize: 4_000_000 } } });
  const client = await connect();
  const values = ["a", "é".repeat(500_000), "b"];

  expect(await collect(client.stream(echo, values))).toEqual(values.slice(0, 3));
});

it("a stream whose reader takes nothing for drainMs is cut, and its task ends", async () => {
  const { made, task } = maker();
  await serve([task], { limits: { streams: { drainMs: 50 } } });
  const client = await connect();
  const items = client.stream<undefined, string>(task.id)[Symbol.asyncIterator]();
  await items.next();

  await until(() => made.ended);
  const reading = (async () => {
    while ((await items.next()).done !== true);
  })();

  expect(await rejectionOf(reading)).toMatchObject({ code: "STREAM_LOST" });
});

it("a worker that stops ends its streams with SERVER_CLOSING once their time is up, also those whose reader takes nothing", async () => {
  const { made, task } = maker();
  const app = await serve([waiting, task], { drain: { graceMs: 1 } });
  const client = await connect();
  const read = client.stream(waiting)[Symbol.asyncIterator]();
  const unread = client.stream<undefined, string>(task.id)[Symbol.asyncIterator]();
  await read.next();
  await unread.next();
  const failure = rejectionOf(read.next());
  await settled(() => made.count);

  await app.dispose();

  expect(await failure).toMatchObject({ code: "SERVER_CLOSING" });
  const rest = (async () => {
    while ((await unread.next()).done !== true);
  })();
  expect(await rejectionOf(rest)).toMatchObject({ code: "SERVER_CLOSING" });
  expect(seen).toEqual(["aborted"]);
  expect(made.ended).toBe(true);
});

it("streams that end within the time of the drain are complete, and are cancelled meanwhile if their reader leaves", async () => {
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const slow = r
    .task("app.slow")
    .stream(async function* () {
      yield 1;
      await gate;
      yield 2;
    })
    .build();
  const app = await serve([slow, endless]);
  const client = await connect();
  const items = client.stream<undefined, number>(slow.id)[Symbol.asyncIterator]();
  const left = client.stream<undefined, number>(endless.id)[Symbol.asyncIterator]();
  await items.next();
  await left.next();

  const disposing = app.dispose();
  while ((await client.task(slow.id).catch((error: TunnelError) => error.code)) !== "NO_RESPONDER");
  await left.return?.();
  await until(() => seen.includes("finally"));
  open();

  expect((await items.next()).value).toBe(2);
  expect((await items.next()).done).toBe(true);
  await disposing;
});

it("the time of a call of items ends with the head of its reply, and before that ends the task", async () => {
  let aborted = 0;
  const timeoutMs = 1000;
  const slow = r
    .task("app.slow")
    .stream(async function* (input: { readonly first: boolean }, _dependencies, { signal }) {
      if (!input.first) {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        aborted += 1;
      }
      yield "first";
      await new Promise((resolve) => setTimeout(resolve, timeoutMs + 50));
      yield "second";
    })
    .build();
  await serve([slow]);
  const client = await connect();

  const late = client.stream(slow, { first: false }, { timeoutMs: 100 })[Symbol.asyncIterator]();
  expect(await rejectionOf(late.next())).toMatchObject({ code: "REQUEST_TIMEOUT" });
  await until(() => aborted === 1);
  expect(await collect(client.stream(slow, { first: true }, { timeoutMs }))).toEqual(["first", "second"]);
});

it("a worker that is killed ends its streams with STREAM_LOST, which says that the worker is lost", async () => {
  const worker = await cleanups.starting(startWorker({ url: broker.url, namespace: "killed" }));
  const client = await connect({ namespace: "killed" });
  const items = client.stream<undefined, number>("work.tick")[Symbol.asyncIterator]();
  expect((await items.next()).value).toBe(0);

  process.kill(worker.pid, "SIGKILL");
  const error = await rejectionOf(items.next());

  expect(error).toMatchObject({ code: "STREAM_LOST", cause: { code: "WORKER_LOST" } });
  // One that has not begun says so itself.
  expect(await rejectionOf(client.stream("work.tick")[Symbol.asyncIterator]().next())).toMatchObject({
    code: "NO_RESPONDER",
  });
});

it("a caller whose process is gone ends what its calls began: tasks and streams alike", async () => {
  const held: string[] = [];
  const hold = r
    .task("app.hold")
    .run(async (_input: undefined, _dependencies, { signal }) => {
      held.push("begun");
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      }).finally(() => held.push("ended"));
    })
    .build();
  await serve([hold, waiting]);
  const link = await linkTo();
  const client = await connect({ link });
  const call = rejectionOf(client.task(hold.id));
  const items = client.stream(waiting)[Symbol.asyncIterator]();
  await items.next();
  const next = rejectionOf(items.next());
  await until(() => held.includes("begun"));

  // As if it was killed: nothing is said any more.
  await link.connection.close();

  await until(() => held.length === 2 && seen.length === 1);
  expect([...held, ...seen]).toEqual(["begun", "ended", "aborted"]);
  await client.close({ signal: AbortSignal.abort() });
  await Promise.all([call, next]);
});

it("a broker that is lost ends streams with STREAM_LOST, and their tasks", async () => {
  const own = await cleanups.starting(startNatsServer());
  await cleanups.starting(startServing(own.url, [endless]));
  const client = await connect({ link: await linkTo(own) });
  const items = client.stream<undefined, number>(endless.id)[Symbol.asyncIterator]();
  await items.next();
  const reading = (async () => {
    while ((await items.next()).done !== true);
  })();
  const failure = rejectionOf(reading);

  await own.kill();

  expect(await failure).toMatchObject({ code: "STREAM_LOST", cause: { code: "BROKER_LOST" } });
  await until(() => seen.includes("finally"));
  await own.restart();
});

it("items that a caller would send are refused, with the tunnel that carries them", async () => {
  await serve([plain]);
  const client = await connect();
  const sent = (async function* () {
    yield 1;
  })();

  const error = await rejectionOf(client.task(plain.id, undefined, { items: sent }));

  expect(error).toBeInstanceOf(TunnelError);
  expect(error).toMatchObject({ code: "ITEMS_UNSUPPORTED" });
  expect(error.message).toContain("goes by an HTTP tunnel, r.tunnel.client(...).tasks([...]).http(");
});

describe("a worker whose frames make no sense", () => {
  type Frame = readonly [kind: string, number: string | undefined, bytes: string];
  const line = '{"item":1}\n';

  /** Replies to the one call of a test with some frames, and notes what it is told. */
  async function misbehave(frames: readonly Frame[]) {
    const link = await linkTo();
    const told: string[] = [];
    link.subscribe(
      "rt1.acme.c.odd",
      {},
      (message) => void told.push(message.string()),
      () => {},
    );
    link.subscribe(
      "rt1.acme.t.app.odd",
      {},
      (message) => {
        const head = { "x-runner-frame": "items", "x-runner-worker": "odd" };
        const type = { "content-type": "application/x-runner-items+ndjson" };
        link.connection.publish(message.reply ?? "", undefined, { headers: link.headersOf({ ...head, ...type }) });
        for (const [kind, number, bytes] of frames) {
          const headers = link.headersOf({ "x-runner-frame": kind, "x-runner-frame-number": number });
          link.connection.publish(message.reply ?? "", bytes, { headers });
        }
      },
      () => {},
    );
    await link.connection.flush();
    const client = await connect();
    const items: unknown[] = [];
    const failure = await rejectionOf(
      (async () => {
        for await (const item of client.stream("app.odd")) items.push(item);
      })(),
    );
    return { failure, items, told };
  }

  it.each<[string, readonly Frame[]]>([
    [
      "leaves one out",
      [
        ["chunk", "1", line],
        ["chunk", "3", line],
      ],
    ],
    [
      "sends one twice",
      [
        ["chunk", "1", line],
        ["chunk", "1", line],
      ],
    ],
    [
      "numbers none",
      [
        ["chunk", "1", line],
        ["chunk", undefined, line],
      ],
    ],
    [
      "numbers one by no number",
      [
        ["chunk", "1", line],
        ["chunk", "2.0", line],
      ],
    ],
    [
      "leaves one out before the end",
      [
        ["chunk", "1", line],
        ["end", "3", '{"ok":true}\n'],
      ],
    ],
    [
      "ends before the line that ends a stream",
      [
        ["chunk", "1", line],
        ["end", "2", ""],
      ],
    ],
    [
      "cuts it",
      [
        ["chunk", "1", line],
        ["cut", undefined, ""],
      ],
    ],
  ])("one that %s ends the stream with STREAM_LOST, after what has come before", async (_what, frames) => {
    const { failure, items } = await misbehave(frames);

    expect(failure).toMatchObject({ code: "STREAM_LOST" });
    expect(items).toEqual([1]);
  });

  it("a gap is told to the worker, so that it stops", async () => {
    const { told } = await misbehave([
      ["chunk", "1", line],
      ["chunk", "3", line],
    ]);

    await until(() => told.length > 0);
    expect(told[0]).toMatch(/^_INBOX\.[^ ]+$/);
  });

  it("one that sends more than it was asked for has its stream ended, so that a reader holds no more than 64 frames", async () => {
    const frames = Array.from({ length: 500 }, (_each, index): Frame => ["chunk", String(index + 1), "\n"]);
    const { failure } = await misbehave([["chunk", "1", line], ...frames.slice(1)]);

    expect(failure).toMatchObject({ code: "STREAM_LOST" });
  });

  it("bytes that are no lines end it with INVALID_RESPONSE", async () => {
    const { failure } = await misbehave([["chunk", "1", "nonsense\n"]]);

    expect(failure).toMatchObject({ code: "INVALID_RESPONSE" });
  });
});

it("what a caller says of a stream that makes no sense changes nothing", async () => {
  const { made, task } = maker();
  await serve([task]);
  const link = await linkTo();
  const client = await connect({ link });
  const items = client.stream<undefined, string>(task.id)[Symbol.asyncIterator]();
  let worker = "";
  let address = "";
  link.connection.subscribe("_INBOX.>", {
    callback(_error, message) {
      worker ||= message.headers?.get("x-runner-worker") ?? "";
      address ||= message.headers?.get("x-runner-frame") === "items" ? message.subject : "";
    },
  });
  await link.connection.flush();
  await items.next();
  const madeAhead = await settled(() => made.count);
  await until(() => address !== "");

  for (const taken of ["-1", "x", "1e9", "999999", "0", "", "1".repeat(400)]) {
    link.connection.publish(`rt1.acme.c.${worker}`, `${address} ${taken}`);
  }
  link.connection.publish(`rt1.acme.c.${worker}`, "_INBOX.somebody.else");
  link.connection.publish(`rt1.acme.c.${worker}`);
  await link.connection.flush();

  expect(await settled(() => made.count)).toBe(madeAhead);
  expect((await items.next()).done).toBe(false);
  await items.return?.();
});
