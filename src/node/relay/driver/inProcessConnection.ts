import { createServer, type RequestListener, type Server } from "node:http";
import { Duplex } from "node:stream";

/** Connections to a server of this process, without sockets. */
export function inProcessConnection(handler: Server | RequestListener): () => Duplex {
  const server = typeof handler === "function" ? createServer({ requestTimeout: 0 }, handler) : handler;
  return () => {
    const [client, served] = duplexPair();
    server.emit("connection", served);
    return client;
  };
}

/** Two ends of a connection: what one writes, the other reads, at the pace of the reader. */
export function duplexPair(): [PairEnd, PairEnd] {
  const [a, b] = [new PairEnd(), new PairEnd()];
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** One end; it has as much of a socket as Node's HTTP looks at. */
class PairEnd extends Duplex {
  peer: PairEnd | undefined;
  readonly remoteAddress = "127.0.0.1";
  readonly localAddress = "127.0.0.1";
  readonly remotePort = 0;
  readonly connecting = false;
  #onRead: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true, emitClose: true });
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

  override _read(): void {
    const onRead = this.#onRead;
    this.#onRead = undefined;
    onRead?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#pass(chunk, done);
  }

  override _final(done: () => void): void {
    this.#pass(null, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    // As with a socket: what was written before an orderly end can still be read, and what is written after it is lost.
    if (!this.writableFinished || error !== null) setImmediate(() => peer?.destroy());
    this._read();
    done(error);
  }

  #pass(chunk: Buffer | null, done: () => void): void {
    const { peer } = this;
    if (peer === undefined || peer.destroyed) return done();
    if (peer.push(chunk) || chunk === null) done();
    else peer.#onRead = done;
  }
}
