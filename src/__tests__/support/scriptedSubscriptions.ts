import { createDeferred } from "./deferred";
import { begin, type Listening } from "./subscribing";
import type { SubscribeOptions } from "../../define/subscription";
import { TunnelError } from "../../errors/tunnelError";
import { itemStream } from "../../lib/itemStream";
import { createCallCodec } from "../../tunnels/client/callCodec";
import type { WireResponse } from "../../tunnels/protocol/wire";
import { type Clock } from "../../tunnels/client/subscribe/clock";
import { Subscriptions } from "../../tunnels/client/subscribe/subscriptions";

const accepts = { streams: true, files: true, nodeFiles: true, abort: true } as const;
export const codec = createCallCodec({}, { accepts });

/** A server that does what a test says, request by request. */
class ScriptedServer {
  readonly requests: Connection[] = [];
  #waiting = createDeferred<Connection>();

  connect(input: Connection["input"], signal: AbortSignal): Promise<WireResponse> {
    const connection = new Connection(input, signal);
    this.requests.push(connection);
    this.#waiting.resolve(connection);
    this.#waiting = createDeferred();
    return connection.response.promise;
  }

  /** The request of that index, once it is there. */
  async request(index: number): Promise<Connection> {
    while (this.requests.length <= index) await this.#waiting.promise;
    return this.requests[index] as Connection;
  }
}

class Connection {
  readonly response = createDeferred<WireResponse>();
  readonly input: { readonly events: readonly string[]; readonly after?: Readonly<Record<string, string>> };
  readonly signal: AbortSignal;
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  constructor(input: Connection["input"], signal: AbortSignal) {
    this.input = input;
    this.signal = signal;
    signal.addEventListener("abort", () => this.response.reject(signal.reason));
  }

  /** Replies with events, which stand at these places. */
  open(positions: Readonly<Record<string, string>>, headers: Record<string, string> = {}): this {
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#controller = controller) });
    this.response.resolve({
      status: 200,
      contentType: "application/x-runner-items+ndjson",
      headers,
      body: { kind: "stream", stream: stream as unknown as AsyncIterable<Uint8Array> },
    });
    return this.line({ open: positions });
  }

  line(line: object | string): this {
    const text = typeof line === "string" ? line : JSON.stringify(line);
    this.#controller.enqueue(new TextEncoder().encode(`${text}\n`));
    return this;
  }

  event(event: string, id: string, item: unknown = id): this {
    return this.line({ event, id, item });
  }

  cut(): void {
    this.#controller.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  }

  end(): void {
    this.#controller.close();
  }

  refuse(status: number, code: string, headers: Record<string, string> = {}): void {
    const text = JSON.stringify({ ok: false, error: { message: `refused: ${code}`, code } });
    this.response.resolve({ status, contentType: "application/json", headers, body: { kind: "text", text } });
  }

  fail(): void {
    this.response.reject(Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } }));
  }
}

/** Waits are passed on at once, and noted; chance is always the same. */
export class TestClock implements Clock {
  readonly waits: number[] = [];
  readonly #random: number;
  held = false;

  constructor(random = 0.5) {
    this.#random = random;
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    this.waits.push(ms);
    if (this.held) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }

  random(): number {
    return this.#random;
  }
}

const opened: Subscriptions[] = [];
afterEach(() => opened.splice(0).forEach((subscriptions) => subscriptions.close()));

/** Subscriptions to a scripted server, closed after the test. */
export function scriptedSubscriptions({
  silenceMs,
  clock = new TestClock(),
}: { silenceMs?: number; clock?: TestClock } = {}) {
  const server = new ScriptedServer();
  const subscriptions = new Subscriptions(
    {
      codec,
      TunnelError,
      silenceMs,
      async exchange(_target, { signal }, { write, read }) {
        const body = await write();
        const { input } = JSON.parse((body as { read(): string }).read()) as {
          input: Connection["input"];
        };
        return read(await server.connect(input, signal));
      },
    },
    clock,
  );
  opened.push(subscriptions);
  const subscribe = (events: readonly string[], options: SubscribeOptions = {}): Listening =>
    begin(
      (observed) =>
        itemStream(async (end) => subscriptions.open(events, observed, end, (fn) => fn())) as AsyncIterable<unknown>,
      options,
    );
  return { server, subscriptions, subscribe, clock };
}
