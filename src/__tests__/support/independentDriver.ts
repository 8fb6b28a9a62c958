/**
 * A driver of reverse tunnels, written from readmes/REVERSE_TUNNEL_PROTOCOL.md alone: it imports nothing, so that it runs in
 * a page and in a program of its own as well. It answers every request with its body in capital letters, as it arrives.
 */

/** As much of a WebSocket as a driver needs: those of browsers, of Node, of undici and of `ws` have it. */
export interface SocketLike {
  binaryType: string;
  readonly protocol: string;
  send(bytes: Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: never) => void): void;
}

type Control = Record<string, unknown>;

interface Exchange {
  /** Bytes that wait for credit. */
  readonly queue: Uint8Array[];
  sent: number;
  /** What may have been sent in total. */
  limit: number;
  consumed: number;
  announced: number;
  hasRequestEnded: boolean;
}

const [DATA, WINDOW, RESET, HEAD, PING, CTRL, ACCEPT] = [0, 2, 3, 4, 6, 7, 8] as const;
const headerBytes = 8;
const end = 1;

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const readJson = (bytes: Uint8Array): Control => JSON.parse(new TextDecoder().decode(bytes)) as Control;

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** One link: frames in and out of a WebSocket. */
class IndependentLink {
  readonly #socket: SocketLike;
  readonly #replies: ((message: Control) => void)[] = [];
  readonly #exchanges = new Map<number, Exchange>();
  #rest: Uint8Array = new Uint8Array(0);
  #window = 262_144;
  #maxFrame = 65_536;
  /** What the relay said that was no reply. */
  readonly notices: Control[] = [];
  readonly closed: Promise<number>;

  private constructor(socket: SocketLike) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }: { data: ArrayBuffer }) => this.#receive(new Uint8Array(data)));
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code }: { code: number }) => resolve(code));
    });
  }

  static async open(socket: SocketLike): Promise<IndependentLink> {
    socket.binaryType = "arraybuffer";
    const link = new IndependentLink(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("The relay refused the connection.")));
    });
    return link;
  }

  /** Sends a control message. @returns the reply */
  ask(message: Control): Promise<Control> {
    const reply = new Promise<Control>((resolve) => this.#replies.push(resolve));
    this.tell(message);
    return reply;
  }

  tell(message: Control): void {
    this.#send(CTRL, 0, 0, utf8(message));
  }

  async greet(resume?: Control): Promise<Control> {
    const v = this.#socket.protocol === "hoody-tunnel.v2" ? 2 : 1;
    const hello = await this.ask({ t: "HELLO", v, agent: "bare/1.0", maxFrame: 16_384, window: 65_536, resume });
    this.#window = hello.window as number;
    this.#maxFrame = hello.maxFrame as number;
    return hello;
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  #send(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    const header = new Uint8Array(headerBytes);
    const view = new DataView(header.buffer);
    view.setUint32(0, ((flags << 4) | type) * 0x1000000 + payload.length);
    view.setUint32(4, streamId);
    this.#socket.send(joined([header, payload]));
  }

  #receive(message: Uint8Array): void {
    let bytes = joined([this.#rest, message]);
    for (;;) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const length = bytes.length < headerBytes ? Infinity : view.getUint32(0) & 0xffffff;
      if (bytes.length < headerBytes + length) break;
      const first = view.getUint8(0);
      this.#handle(first & 15, first >> 4, view.getUint32(4), bytes.slice(headerBytes, headerBytes + length));
      bytes = bytes.subarray(headerBytes + length);
    }
    this.#rest = bytes;
  }

  #handle(type: number, flags: number, id: number, payload: Uint8Array): void {
    const exchange = this.#exchanges.get(id);
    const view = new DataView(payload.buffer);
    if (type === CTRL) this.#handleControl(readJson(payload));
    else if (type === PING && flags === 0) this.#send(PING, 1, 0, payload);
    else if (type === HEAD) this.#begin(id, flags);
    else if (exchange === undefined) return;
    else if (type === RESET) this.#exchanges.delete(id);
    else if (type === WINDOW) {
      exchange.limit = Number(view.getBigUint64(0)) + view.getUint32(8);
      this.#pump(id, exchange);
    } else if (type === DATA) {
      exchange.queue.push(payload.map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte)));
      exchange.hasRequestEnded = (flags & end) !== 0;
      this.#pump(id, exchange);
    }
  }

  #handleControl(message: Control): void {
    if (message.t === "GOAWAY" || message.t === "BIND_REVOKED") this.notices.push(message);
    else this.#replies.shift()?.(message);
  }

  #begin(id: number, flags: number): void {
    const hasRequestEnded = (flags & end) !== 0;
    const exchange = { queue: [], sent: 0, limit: this.#window, consumed: 0, announced: 0, hasRequestEnded };
    this.#exchanges.set(id, exchange);
    this.#send(ACCEPT, 0, id, new Uint8Array(0));
    this.#send(HEAD, 0, id, utf8({ s: 200, r: "OK", h: ["Content-Type", "text/plain", "X-Driver", "bare"] }));
    this.#pump(id, exchange);
  }

  /** Sends what credit allows; what was sent counts as consumed. */
  #pump(id: number, exchange: Exchange): void {
    while (exchange.queue.length > 0 && exchange.sent < exchange.limit) {
      const [first = new Uint8Array(0)] = exchange.queue;
      const piece = first.subarray(0, Math.min(this.#maxFrame, exchange.limit - exchange.sent));
      if (piece.length === first.length) exchange.queue.shift();
      else exchange.queue[0] = first.subarray(piece.length);
      this.#send(DATA, 0, id, piece);
      exchange.sent += piece.length;
      this.#consume(id, exchange, piece.length);
    }
    if (exchange.hasRequestEnded && exchange.queue.length === 0) {
      this.#send(DATA, end, id, new Uint8Array(0));
      this.#exchanges.delete(id);
    }
  }

  #consume(id: number, exchange: Exchange, bytes: number): void {
    exchange.consumed += bytes;
    if (exchange.consumed - exchange.announced < this.#window / 2) return;
    exchange.announced = exchange.consumed;
    const payload = new DataView(new ArrayBuffer(12));
    payload.setBigUint64(0, BigInt(exchange.consumed));
    payload.setUint32(8, this.#window);
    this.#send(WINDOW, 0, id, new Uint8Array(payload.buffer));
  }
}

/** What an independent driver reports, one line each. */
export type Report = (event: string, facts: Control) => void;

/**
 * Binds, serves, resumes once when its link is lost, serves again, and says goodbye when `leave` resolves.
 *
 * @param connect opens a WebSocket to the relay, with credentials and both subprotocols
 */
export async function runIndependentDriver(
  connect: () => SocketLike,
  report: Report,
  leave: Promise<void>,
): Promise<void> {
  const first = await IndependentLink.open(connect());
  const hello = await first.greet();
  const bound = await first.ask({ t: "BIND", req: 1, kind: "http", mode: "expose", containerPort: 0, name: null });
  report("bound", { protocol: hello.protocol, maxFrame: hello.maxFrame, port: bound.containerPort, t: bound.t });

  const code = await first.closed;
  const second = await IndependentLink.open(connect());
  const again = await second.greet({ sessionId: hello.sessionId, token: hello.resumeToken });
  report("resumed", {
    lostBy: code,
    resumed: again.resumed,
    isSame: again.sessionId === hello.sessionId,
    bindings: (again.bindings as readonly Control[]).map(({ containerPort }) => containerPort),
  });

  await leave;
  second.tell({ t: "GOAWAY", code: "SHUTDOWN", lastStreamId: 0, drainMs: 0, reconnect: false });
  second.close(1000);
  report("left", { code: await second.closed });
}
