import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import { Duplex } from "node:stream";

/** What happens on the server's end of a connection. */
export interface ConnectionHandler {
  /** @returns whether more may be written at once; else `resumeWriting` of the connection follows */
  onWritten(chunk: Buffer | string, encoding: BufferEncoding): boolean;
  /** So many bytes that it was given were taken. */
  onTaken(bytes: number): void;
  /** The server writes no more. */
  onEnded(): void;
  onClosed(): void;
}

/** What a writable is given at a time. */
interface Piece {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/** Connections to a server of this process that are open, and serve one exchange after the other. */
export class ServedConnections {
  readonly #server: Server;
  readonly #free: ServedConnection[] = [];
  readonly #open = new Set<ServedConnection>();

  constructor(handler: Server | RequestListener) {
    this.#server = typeof handler === "function" ? createServer({ requestTimeout: 0 }, handler) : handler;
  }

  take(): ServedConnection {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (free.isReusable) return free;
    }
    const connection = new ServedConnection();
    this.#open.add(connection);
    connection.once("close", () => this.#open.delete(connection));
    this.#server.emit("connection", connection);
    return connection;
  }

  /** The exchange is over, and another one may follow. */
  release(connection: ServedConnection): void {
    connection.forget();
    if (this.#free.length < maxFree) this.#free.push(connection);
    else connection.destroy();
  }

  /** Ends what is under way as well. */
  close(): void {
    for (const connection of this.#open) connection.destroy();
  }
}

const maxFree = 64;

/** The server's end of a connection without a socket; it has as much of one as Node's HTTP looks at. */
export class ServedConnection extends Duplex {
  handler: ConnectionHandler | undefined;
  readonly remoteAddress = "127.0.0.1";
  readonly localAddress = "127.0.0.1";
  readonly remotePort = 0;
  readonly connecting = false;
  /** Given, and not pushed yet. */
  #comingBytes = 0;
  /** Pushed, and not taken by the server. */
  #waitingBytes = 0;
  #onResumed: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true, decodeStrings: false });
  }

  get isReusable(): boolean {
    return !this.destroyed && this.writable && this.#comingBytes + this.#waitingBytes === 0;
  }

  /** Keeps nothing of the exchange that is over, unless some of its request is still to be taken. */
  forget(): void {
    if (this.isReusable) this.handler = undefined;
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /**
   * Gives the server something to read, or `null` for the end; in a turn of its own, since its listeners may throw.
   *
   * @param cost what `onTaken` is told of it, in bytes
   */
  give(bytes: Uint8Array | null, cost: number): void {
    this.#comingBytes += cost;
    process.nextTick(passOn, this, bytes, cost);
  }

  /** What was written and held back may follow. */
  resumeWriting(): void {
    const onResumed = this.#onResumed;
    this.#onResumed = undefined;
    onResumed?.();
  }

  /** Called by `give`. */
  receive(bytes: Uint8Array | null, cost: number): void {
    const mayPush = this.destroyed || this.push(bytes);
    this.#comingBytes -= cost;
    if (cost === 0) return;
    if (mayPush) this.handler?.onTaken(cost);
    else this.#waitingBytes += cost;
  }

  override _read(): void {
    const taken = this.#waitingBytes;
    this.#waitingBytes = 0;
    if (taken > 0) this.handler?.onTaken(taken);
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.#pass([{ chunk, encoding }], done);
  }

  override _writev(pieces: Piece[], done: () => void): void {
    this.#pass(pieces, done);
  }

  override _final(done: () => void): void {
    this.handler?.onEnded();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    this.resumeWriting();
    this.handler?.onClosed();
    done(error);
  }

  #pass(pieces: readonly Piece[], done: () => void): void {
    let mayWrite = true;
    for (const { chunk, encoding } of pieces) mayWrite = this.handler?.onWritten(chunk, encoding) ?? true;
    if (mayWrite || this.destroyed) done();
    else this.#onResumed = done;
  }
}

const passOn = (connection: ServedConnection, bytes: Uint8Array | null, cost: number): void =>
  connection.receive(bytes, cost);
