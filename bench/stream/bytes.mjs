import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { cpuMs, peakMb } from "../lib/cpu.mjs";

const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

/** A stream of so many bytes, made of one buffer; `mayGoOn` is asked before each piece and may call back later. */
export function source(bytes, mayGoOn = () => true) {
  let left = bytes;
  return new Readable({
    read() {
      if (left === 0) return void this.push(null);
      if (!mayGoOn(bytes - left, () => this._read())) return undefined;
      const size = Math.min(left, piece.length);
      left -= size;
      this.push(size === piece.length ? piece : piece.subarray(0, size));
      return undefined;
    },
  });
}

/** How far an echo may lag behind: tens of megabytes in the buffers of two sockets stall the loopback of some kernels. */
const leadBytes = 8 * 1024 * 1024;

/** Sends so many bytes through `send`, which resolves with the stream they come back by, and counts those. */
export async function echo(bytes, send) {
  let back = 0;
  let goOn;
  const body = source(bytes, (sent, callBack) => {
    goOn = sent - back > leadBytes ? callBack : undefined;
    return goOn === undefined;
  });
  const reply = await send(body);
  reply.on("data", (chunk) => {
    back += chunk.length;
    goOn?.();
  });
  return count(reply);
}

/** How many bytes a stream had. */
export const count = (stream) =>
  new Promise((resolve, reject) => {
    let bytes = 0;
    stream
      .on("data", (chunk) => (bytes += chunk.length))
      .on("end", () => resolve(bytes))
      .on("error", reject);
  });

/** What a client is measured by: functions that resolve with the bytes that crossed. */
export function measureStreams(kinds) {
  async function sample(kind, bytes) {
    const started = performance.now();
    const cpuBefore = cpuMs();
    const crossed = await kinds[kind](bytes);
    if (crossed !== bytes) throw new Error(`${kind}: ${crossed} of ${bytes} bytes crossed.`);
    return {
      seconds: (performance.now() - started) / 1000,
      cpuMs: cpuMs() - cpuBefore,
      peakMb: peakMb(),
    };
  }
  return { sample };
}
