import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What goes wrong with one direction of a connection. */
export interface Fault {
  /** Passed on in pieces of at most so many bytes, each written by itself. */
  readonly pieceBytes?: number;
  /** What arrives within this time is passed on as one piece. */
  readonly gatherMs?: number;
  /** Every byte arrives this much later. */
  readonly delayMs?: number;
  /** Bytes per second. */
  readonly rate?: number;
  /** Before some pieces nothing moves for a while. */
  readonly stalls?: { readonly share: number; readonly ms: number };
  /** Bytes are read and lost, without an end. */
  readonly isBlackHole?: boolean;
  /** Both sides are reset once this direction has passed so many bytes. */
  readonly resetAfterBytes?: number;
}

/** What goes wrong, by direction: up to the relay, down to the driver. */
export interface Faults {
  up?: Fault | undefined;
  down?: Fault | undefined;
}

/** A connection between driver and relay that fails as it is told. */
export interface FaultyProxy extends AsyncDisposable {
  readonly url: string;
  /** Holds for what arrives from now on. */
  faults: Faults;
  /** Connections since the beginning. */
  readonly accepted: number;
  /** The most bytes of one connection that were on their way at once, by direction. */
  readonly peakBytes: { up: number; down: number };
  /** Resets the connections that are open, or one of them, by its number from 0 on. */
  cut(index?: number): void;
}

/** Random numbers that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @param ofConnection what is wrong with one connection, from 0 on, in the place of what holds for all of them */
export async function startFaultyProxy(
  relayPort: number,
  initial: Faults = {},
  ofConnection: (index: number) => Faults | undefined = () => undefined,
): Promise<FaultyProxy> {
  const random = seededRandom(20_260_501);
  /** Both sides of each connection, with its number. */
  const sockets = new Map<Socket, number>();
  let accepted = 0;
  const server = createServer({ noDelay: true }, (driver) => {
    const number = accepted;
    const own = ofConnection(number);
    accepted += 1;
    const relay = connect({ host: "127.0.0.1", port: relayPort, noDelay: true });
    for (const socket of [driver, relay]) {
      sockets.set(socket, number);
      socket.on("error", () => {});
      socket.once("close", () => sockets.delete(socket));
    }
    const reset = (): void => [driver, relay].forEach(resetSocket);
    for (const way of ["up", "down"] as const) {
      const [from, to] = way === "up" ? [driver, relay] : [relay, driver];
      const onWaiting = (bytes: number): void => {
        proxy.peakBytes[way] = Math.max(proxy.peakBytes[way], bytes);
      };
      void pump({ from, to, faultOf: () => (own ?? proxy.faults)[way], reset, random, onWaiting });
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: initial,
    peakBytes: { up: 0, down: 0 },
    get accepted() {
      return accepted;
    },
    cut(index) {
      for (const [socket, number] of sockets) if (index === undefined || index === number) resetSocket(socket);
    },
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await once(server.close(), "close");
    },
  };
  return proxy;
}

/** Node leaks a socket that is reset while its end waits to be sent. */
const resetSocket = (socket: Socket): void => void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy());

interface Pump {
  readonly from: Socket;
  readonly to: Socket;
  readonly faultOf: () => Fault | undefined;
  readonly reset: () => void;
  readonly random: () => number;
  /** Told how many bytes have arrived that were not passed on. */
  readonly onWaiting: (bytes: number) => void;
}

/** Bytes of one direction, in order. */
async function pump({ from, to, faultOf, reset, random, onWaiting }: Pump): Promise<void> {
  let passed = 0;
  const arrivals = readArrivals(from, (arrived) => onWaiting(arrived - passed));
  from.once("close", () => {
    if (from.errored) to.destroy();
  });
  for await (const { bytes, atMs } of arrivals) {
    const { delayMs = 0, gatherMs = 0, rate, stalls, isBlackHole, resetAfterBytes = Infinity } = faultOf() ?? {};
    if (isBlackHole === true) continue;
    const waitMs = Math.max(delayMs + atMs - performance.now(), rate === undefined ? 0 : (bytes.length / rate) * 1_000);
    if (waitMs > 0) await delay(waitMs);
    if (gatherMs > 0) await delay(gatherMs);
    const all = gatherMs > 0 ? Buffer.concat([bytes, ...arrivals.takeWaiting()]) : bytes;
    const allowed = all.subarray(0, resetAfterBytes - passed);
    for (const piece of split(allowed, faultOf()?.pieceBytes ?? Infinity)) {
      if (stalls !== undefined && random() < stalls.share) await delay(stalls.ms);
      if (to.destroyed) return;
      if (!to.write(piece)) await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => {});
    }
    passed += allowed.length;
    if (passed >= resetAfterBytes) return void to.write("", reset);
  }
  to.end();
}

function split(bytes: Buffer, size: number): Buffer[] {
  if (bytes.length <= size) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

interface Arrival {
  readonly bytes: Buffer;
  readonly atMs: number;
}

/** What arrives, with the moment it did, so that a delay is of the way and not of the pace. */
function readArrivals(
  from: Socket,
  onArrival: (bytesTotal: number) => void,
): AsyncIterable<Arrival> & { takeWaiting(): Buffer[] } {
  const waiting: Arrival[] = [];
  let arrived = 0;
  let isOver = false;
  let wake = (): void => {};
  from.on("data", (bytes: Buffer) => {
    waiting.push({ bytes, atMs: performance.now() });
    arrived += bytes.length;
    onArrival(arrived);
    if (waiting.length > 64) from.pause();
    wake();
  });
  for (const event of ["end", "close"]) {
    from.once(event, () => {
      isOver = true;
      wake();
    });
  }
  return {
    takeWaiting: () => waiting.splice(0).map(({ bytes }) => bytes),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const arrival = waiting.shift();
        if (arrival !== undefined) {
          if (waiting.length < 32) from.resume();
          yield arrival;
        } else if (isOver) {
          return;
        } else {
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
    },
  };
}
