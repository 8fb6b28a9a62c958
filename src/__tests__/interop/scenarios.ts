import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import type { HttpClient } from "../../node";
import type { Propagation } from "../../tunnels/transports/layers/propagate";
import { invert, token, type Package, type Shared } from "./interopApp";

/** The clients of both packages. 5.5 has no "fetch". */
export type ClientKind = "fetch" | "universal" | "smart" | "mixed";

/** Who calls, and whom. */
export interface Caller {
  readonly runner: Package;
  readonly shared: Shared;
  readonly kind: ClientKind;
  readonly baseUrl: string;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly data?: unknown;
  /** Whether the caller's own helper recognises it. */
  readonly isSoldOut: boolean;
}

export type Source = "blob" | "buffer" | "stream";

interface ClientOptions {
  readonly token?: string;
  readonly baseUrl?: string;
  readonly timeoutMs?: number;
  /** Whether the client sends contexts along: those of 5.5 refuse calls outside of one. */
  readonly contexts?: boolean;
  readonly propagate?: Propagation;
}

/** Tests look at what comes back, so everything here is plain data: it may come from another process. */
export const scenarios = {
  /** @returns names of the values that came back different */
  async values(caller: Caller) {
    const client = connect(caller);
    const sent = everyValue();
    const returned = await client.task<object, Record<string, unknown>>("interop.tasks.echo", sent);
    return Object.entries(sent)
      .filter(([name, value]) => !isSame(returned[name], value))
      .map(([name]) => name);
  },

  async tags(caller: Caller) {
    const client = connect(caller);
    const values = [new Date(0), new Map(), new Set(), 1n, undefined, new URL("https://example.test")];
    return Promise.all(values.map((value) => client.task("interop.tasks.tagOf", value)));
  },

  async noInput(caller: Caller) {
    return connect(caller).task("interop.tasks.echo");
  },

  /** What the task saw, and what the caller got back, of objects that look like marked values. */
  async lookalikes(caller: Caller) {
    const client = connect(caller);
    const values = [
      { __type: "user", name: "ada" },
      { __type: "Circle", value: 3 },
    ];
    return Promise.all(
      values.map(async (value) => ({
        seen: await client.task("interop.tasks.keysOf", value).catch(failureOf(caller)),
        returned: await client.task("interop.tasks.echo", value).catch(failureOf(caller)),
      })),
    );
  },

  /** A call with a time and a place in a trace, which only ours can be given, and tell the server. */
  async scope(caller: Caller) {
    const client = connect(caller, { propagate: { deadline: true, trace: true } });
    const trace = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", flags: "01" };
    return client.task("interop.tasks.echo", new Date(9), { timeoutMs: 60_000, trace });
  },

  async context(caller: Caller) {
    const value = { name: "Ada", since: new Date(3) };
    const client = connect(caller, { contexts: true });
    return caller.shared.visitor.provide(value, () => client.task("interop.tasks.whoami"));
  },

  async typedError(caller: Caller) {
    const input = { sku: "tea", since: new Date(5) };
    return connect(caller).task("interop.tasks.sell", input).catch(failureOf(caller));
  },

  async untypedError(caller: Caller) {
    return connect(caller).task("interop.tasks.crash").catch(failureOf(caller));
  },

  async refusals(caller: Caller) {
    const fail = failureOf(caller);
    return {
      wrongToken: await connect(caller, { token: "guessed" }).task("interop.tasks.echo", 1).catch(fail),
      unlisted: await connect(caller).task("interop.tasks.unlisted").catch(fail),
      unlistedEvent: await connect(caller).event("interop.events.none", 1).catch(fail),
      nowhere: await connect(caller, { baseUrl: `${caller.baseUrl}/nowhere` })
        .task("interop.tasks.echo", 1)
        .catch(fail),
      tooLarge: await connect(caller)
        .task("interop.tasks.echo", "x".repeat(2 * 1024 * 1024))
        .catch(fail),
    };
  },

  async invalidInput(caller: Caller) {
    return connect(caller).task("interop.tasks.order", { quantity: 0 }).catch(failureOf(caller));
  },

  async events(caller: Caller) {
    const client = connect(caller);
    return {
      plain: await client.event("interop.events.counted", { count: 1 }),
      withResult: await client.eventWithResult("interop.events.counted", { count: 1 }),
    };
  },

  async upload(caller: Caller, source: Source, size: number) {
    const file = fileOf(caller.runner, source, size);
    return connect(caller).task("interop.tasks.store", { file, note: new Date(0) });
  },

  /** @returns whether what came back is what was expected of what was sent */
  async duplex(caller: Caller, size: number) {
    const sent = Buffer.concat([...piecesOf(size)]);
    const reply = await octets(caller, "invert", Readable.from(piecesOf(size)));
    return invert(await buffer(reply)).equals(sent);
  },

  async downloadAfterOctets(caller: Caller) {
    return text(await octets(caller, "lines", Readable.from([])));
  },

  async downloadAfterJson(caller: Caller) {
    return text(await connect(caller).task<undefined, Readable>("interop.tasks.lines"));
  },

  /** A task that answers octets with a value: what the caller gets. */
  async octetsAnsweredByValue(caller: Caller) {
    const reply = await octets(caller, "tagOf", Readable.from(["bytes"]));
    return reply instanceof Readable ? { stream: await text(reply) } : { value: reply as unknown };
  },

  async octetsRefused(caller: Caller) {
    const client = connect(caller, { token: "guessed" });
    const sending = client.task<unknown, Readable>("interop.tasks.invert", Readable.from(["bytes"]));
    return sending.then(async (reply) => ({ stream: await text(reply) })).catch(failureOf(caller));
  },

  /** Phantom tasks and a client tunnel, as the guide of 5.x writes them. */
  async throughTunnel({ runner, shared, baseUrl }: Caller) {
    const { globals, r, run } = runner;
    const echo = r.task.phantom<Date, Date>("interop.tasks.echo").build();
    const sell = r.task.phantom<{ sku: string; since: Date }, void>("interop.tasks.sell").build();
    const whoami = r.task.phantom<void, { name: string }>("interop.tasks.whoami").build();
    const tunnel = r
      .resource("interop.remote")
      .tags([globals.tags.tunnel])
      .dependencies({ createClient: globals.resources.httpClientFactory })
      .init(async (_config, { createClient }) => {
        const client = createClient({ baseUrl, auth: { token } });
        return {
          mode: "client" as const,
          transport: "http" as const,
          tasks: [echo.id, sell.id, whoami.id],
          run: async (task, input) => client.task(task.id, input),
        };
      })
      .build();
    const root = r
      .resource("interop.app")
      .register([echo, sell, whoami, shared.soldOut, shared.visitor, tunnel])
      .build();
    const app = await run(root, { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } });
    try {
      const visitor = { name: "Ada", since: new Date(3) };
      return {
        date: await app.runTask(echo, new Date(9)),
        isSoldOut: await app
          .runTask(sell, { sku: "tea", since: new Date(5) })
          .catch((error: unknown) => shared.soldOut.is(error)),
        name: (await shared.visitor.provide(visitor, () => app.runTask(whoami))).name,
      };
    } finally {
      await app.dispose();
    }
  },

  /** By the signal of a call, which only ours have. */
  async abort(caller: Caller) {
    const client = connect(caller);
    const controller = new AbortController();
    const call = `abort:${caller.kind}`;
    const options = { signal: controller.signal };
    const pending = client.task("interop.tasks.wait", call, options).catch(failureOf(caller));
    await client.task("interop.tasks.arrivalOf", call);
    controller.abort(new Error("changed my mind"));
    return { failure: await pending, learned: await client.task("interop.tasks.abortOf", call) };
  },

  /** By the time limit of a client. */
  async timeout(caller: Caller) {
    const client = connect(caller);
    // What a client on a busy machine gives up before it has arrived is tried again with more time.
    for (let timeoutMs = 250; ; timeoutMs *= 4) {
      const call = `timeout:${caller.kind}:${timeoutMs}`;
      const hasty = connect(caller, { timeoutMs });
      const failure = await hasty.task("interop.tasks.wait", call).catch(failureOf(caller));
      if (!(await client.task("interop.tasks.hasArrived", call))) continue;
      return { failure, learned: await client.task("interop.tasks.abortOf", call) };
    }
  },
};

export type Scenarios = typeof scenarios;

/** Large enough to be cut into many pieces, and the same whenever it is made. */
export function* piecesOf(size: number): Generator<Buffer> {
  const piece = Buffer.from(Array.from({ length: 64 * 1024 }, (_each, index) => (index * 31) % 251));
  for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

export function sha256OfPieces(size: number): string {
  const hash = createHash("sha256");
  for (const piece of piecesOf(size)) hash.update(piece);
  return hash.digest("hex");
}

function connect({ runner, shared, kind, baseUrl }: Caller, options: ClientOptions = {}): HttpClient {
  const { token: presented = token, contexts = false, ...rest } = options;
  const config = {
    baseUrl,
    auth: { token: presented },
    // 5.x has no default.
    serializer: new runner.Serializer(),
    contexts: contexts ? [shared.visitor] : [],
    errorRegistry: new Map([[shared.soldOut.id, shared.soldOut]]),
    ...rest,
  };
  const { createExposureFetch = runner.createHttpClient } = runner;
  const make: Record<ClientKind, () => HttpClient> = {
    fetch: () => createExposureFetch(config),
    universal: () => runner.createHttpClient(config),
    smart: () => runner.createHttpSmartClient(config),
    mixed: () => runner.createHttpMixedClient(config),
  };
  return make[kind]();
}

const octets = (caller: Caller, name: string, stream: Readable): Promise<Readable> =>
  connect(caller).task<unknown, Readable>(`interop.tasks.${name}`, stream);

const failureOf =
  ({ shared }: Caller) =>
  (error: unknown): Failure => {
    const { name, message, code, data } = error as Error & Partial<Failure>;
    return {
      name,
      // Lines that say which call it was follow; 5.x has none.
      message: message.split("\n")[0] as string,
      isSoldOut: shared.soldOut.is(error),
      ...(typeof code === "string" && { code }),
      ...(data !== undefined && { data }),
    };
  };

function fileOf({ createNodeFile }: Package, source: Source, size: number): object {
  const meta = { name: "large.bin", type: "application/x-large" };
  if (source === "stream") return createNodeFile(meta, { stream: Readable.from(piecesOf(size)) });
  const bytes = Buffer.concat([...piecesOf(size)]);
  if (source === "buffer") return createNodeFile(meta, { buffer: bytes });
  return { $runnerFile: "File", id: "F1", meta, _web: { blob: new Blob([bytes], { type: meta.type }) } };
}

/** Of errors only what crosses: their class and where they were thrown does not. */
const isSame = (returned: unknown, sent: unknown): boolean =>
  sent instanceof Error && returned instanceof Error
    ? isDeepStrictEqual({ ...returned, ...nameOf(returned) }, { ...sent, ...nameOf(sent) })
    : isDeepStrictEqual(returned, sent);

const nameOf = ({ name, message }: Error) => ({ name, message });

const everyValue = () => ({
  text: "naïve ☕ \u{1f680}",
  nothing: null,
  absent: undefined,
  numbers: [1.5, -2, NaN, Infinity, -Infinity],
  large: 12345678901234567890n,
  date: new Date("2026-02-03T04:05:06.789Z"),
  map: new Map<unknown, unknown>([
    ["when", new Date(5)],
    [{ compound: "key" }, new Set([1n])],
  ]),
  buffer: Buffer.from([0, 127, 255]),
  samples: new Int16Array([1, -1]),
  pattern: /a+b/giu,
  url: new URL("https://example.test/path?q=1#hash"),
  query: new URLSearchParams("a=1&a=2"),
  error: Object.assign(new Error("kept"), { code: 42 }),
});
