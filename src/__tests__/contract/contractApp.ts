import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { z } from "zod";
import {
  globals,
  nodeExposure,
  r,
  run,
  Serializer,
  useExposureContext,
  type definitions as types,
  type InputFile,
  type RegisterableItems,
  type RunResult,
} from "../../node";
import type { NodeExposureHttpConfig } from "../../node";
import { createDeferred, type Deferred } from "../support/deferred";
import { locale, soldOut, visitor } from "./contractDefinitions";

/** The application that every carrier is tried with. */
export interface ContractApp extends AsyncDisposable {
  readonly app: RunResult;
  readonly baseUrl: string;
  /** Where else it is served, by carriers of several endpoints. */
  readonly moreUrls?: readonly string[] | undefined;
  /** Calls of `contract.wait`, by the name they were given. */
  readonly waits: Waits;
  /** Cuts the connections that callers have. */
  cutConnections(): void;
}

export interface ContractAppOptions {
  /** No server tunnel, everything reachable: the only way to ask for what does not exist. */
  readonly open?: boolean | undefined;
  readonly http?: NodeExposureHttpConfig | undefined;
  /** What else the application has. Tasks and events of it may be called as well. */
  readonly also?: ((waits: WaitControl) => readonly RegisterableItems[]) | undefined;
  /** Events of it that callers may listen to. */
  readonly subscribable?: readonly types.IEvent[] | undefined;
}

/** What became of a call that waits for its signal. */
export interface Waits {
  /** Resolves once the task runs. */
  arrived(call: string): Promise<void>;
  /** Resolves once the task's signal aborts. */
  aborted(call: string): Promise<void>;
}

/** What a stored file was, as the task that read it saw it. */
export interface StoredFile {
  readonly name: string;
  readonly type: string | undefined;
  readonly bytes: number;
  readonly sha256: string;
}

export const token = "s3cret";

const quantities = z.object({ items: z.array(z.object({ quantity: z.number().min(1) })) });

export const sha256Of = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** Starts the application, served over HTTP on a port of its own. */
export async function startContractApp({
  open = false,
  http = {},
  also = () => [],
  subscribable = [],
}: ContractAppOptions = {}): Promise<ContractApp> {
  const waits = createWaits();
  const listed: readonly RegisterableItems[] = [...createTasks(waits), ...createEvents(), ...also(waits)];
  const tunnel = r
    .resource("contract.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({
      mode: "server" as const,
      tasks: (task) => listed.includes(task),
      events: (event) => listed.includes(event),
      subscribable: [...subscribable],
    }))
    .build();
  const exposure = nodeExposure.with({
    http: { listen: { port: 0 }, auth: { token }, dangerouslyAllowOpenExposure: open, ...http },
  });
  const root = r
    .resource("contract")
    .register([...listed, unlisted, soldOut, visitor, locale, exposure, ...(open ? [] : [tunnel])])
    .build();

  const app = await run(root, { shutdownHooks: false, errorBoundary: false });
  const { server } = app.getResourceValue(nodeExposure);
  const address = server?.address();
  if (typeof address !== "object" || address === null) throw new Error("The exposure does not listen.");
  return {
    app,
    baseUrl: `http://127.0.0.1:${address.port}/__runner`,
    waits,
    cutConnections: () => server?.closeAllConnections(),
    [Symbol.asyncDispose]: () => app.dispose(),
  };
}

const unlisted = r
  .task("contract.unlisted")
  .run(async () => "never seen")
  .build();

/** A task that reads its input from wherever the carrier put it: octets have no value beside them. */
const contractTask = <I>(name: string, body: (input: I, signal: AbortSignal) => unknown) =>
  r
    .task(`contract.${name}`)
    .run(async (sent: I | undefined, _dependencies, { signal }) => body(sent ?? (await readOctets<I>()), signal))
    .build();

/** An input that is nothing but bytes. */
export async function readOctets<I>(): Promise<I> {
  const chunks: Buffer[] = [];
  for await (const chunk of useExposureContext().req) chunks.push(chunk as Buffer);
  return new Serializer().parse<I>(Buffer.concat(chunks).toString());
}

function createTasks(waits: Waits & WaitControl) {
  const order = r
    .task("contract.order")
    .inputSchema(quantities)
    .run(async ({ items }) => items.length)
    .build();
  return [
    contractTask("echo", ({ value }: { value: unknown }) => value),
    contractTask("tagOf", ({ value }: { value: unknown }) => Object.prototype.toString.call(value)),
    contractTask("nothing", () => undefined),
    contractTask("repeat", ({ text, times }: { text: string; times: number }) => text.repeat(times)),
    contractTask("loop", () => {
      const loop: Record<string, unknown> = {};
      return Object.assign(loop, { loop });
    }),
    contractTask("sell", ({ sku, since }: { sku: string; since: Date }) => soldOut.throw({ sku, since })),
    contractTask("crash", () => {
      throw new Error("password=hunter2");
    }),
    contractTask("whoami", () => ({ visitor: visitor.use(), locale: locale.use() })),
    contractTask("wait", ({ call }: { call: string }, signal) => waits.enter(call, signal)),
    contractTask("meet", createMeeting()),
    contractTask("store", storeFiles),
    contractTask("lines", ({ count }: { count: number }) => Readable.from(linesOf(count))),
    contractTask("page", ({ count }: { count: number }) => ({
      stream: Readable.from(linesOf(count)),
      contentType: "text/plain",
      headers: { "x-lines": String(count) },
    })),
    contractTask("broken", () => Readable.from(failingLines())),
    order,
    r
      .task("contract.invert")
      .run(async () => useExposureContext().req.pipe(inverting()))
      .build(),
    r
      .task("contract.fulfil")
      .dependencies({ order })
      .run(async (_input, tasks) => tasks.order({ items: [{ quantity: 0 }] }))
      .build(),
  ];
}

function createEvents() {
  const counted = r.event<{ count: number; seenAt?: Date }>("contract.counted").build();
  const refused = r.event<{ sku: string }>("contract.refused").build();
  const parallel = r.event<{ count: number }>("contract.parallel").parallel().build();
  return [
    counted,
    refused,
    parallel,
    r
      .hook("contract.hooks.count")
      .on(counted)
      .run(async ({ data }) => {
        data.count += 1;
        data.seenAt = new Date(7);
      })
      .build(),
    r
      .hook("contract.hooks.refuse")
      .on(refused)
      .run(async ({ data }) => soldOut.throw({ sku: data.sku, since: new Date(0) }))
      .build(),
  ];
}

/** Replies once all callers are there, to the last ones first. */
function createMeeting() {
  const meetings = new Map<string, Deferred<number>[]>();
  return ({ name, of, index }: { name: string; of: number; index: number }): Promise<number> => {
    const seats = meetings.get(name) ?? Array.from({ length: of }, () => createDeferred<number>());
    meetings.set(name, seats);
    const seat = seats[index] as Deferred<number>;
    const taken = (takenBy.get(seats) ?? 0) + 1;
    takenBy.set(seats, taken);
    if (taken === of) for (let each = of - 1; each >= 0; each--) seats[each]?.resolve(each);
    return seat.promise;
  };
}
const takenBy = new WeakMap<object, number>();

async function storeFiles({ files, when }: { files: InputFile<Readable>[]; when?: unknown }) {
  const stored: StoredFile[] = [];
  for (const file of files) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of file.stream()) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).byteLength;
    }
    stored.push({ name: file.name, type: file.type, bytes, sha256: hash.digest("hex") });
  }
  return { stored, when };
}

/** 1 KiB each. */
export function* linesOf(count: number): Generator<string> {
  for (let index = 0; index < count; index++) yield `${String(index).padStart(1023, "0")}\n`;
}

const inverting = (): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) =>
      done(
        null,
        chunk.map((byte) => ~byte),
      ),
  });

async function* failingLines(): AsyncGenerator<string> {
  yield "the first half";
  await new Promise(setImmediate);
  throw new Error("the disk is gone");
}

export interface WaitControl {
  /** Rejects with the signal's reason. */
  enter(call: string, signal: AbortSignal): Promise<never>;
}

function createWaits(): Waits & WaitControl {
  const calls = new Map<string, { arrived: Deferred; aborted: Deferred }>();
  const of = (call: string) => {
    const known = calls.get(call) ?? { arrived: createDeferred(), aborted: createDeferred() };
    calls.set(call, known);
    return known;
  };
  return {
    arrived: (call) => of(call).arrived.promise,
    aborted: (call) => of(call).aborted.promise,
    enter: (call, signal) =>
      new Promise((_resolve, reject) => {
        const { arrived, aborted } = of(call);
        const abort = (): void => {
          aborted.resolve();
          reject(signal.reason as Error);
        };
        if (signal.aborted) abort();
        else signal.addEventListener("abort", abort, { once: true });
        arrived.resolve();
      }),
  };
}
