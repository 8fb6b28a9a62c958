import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { cpuMs } from "../lib/cpu.mjs";

const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

/** A stream of so many bytes, made of one buffer. */
export function source(bytes) {
  let left = bytes;
  return new Readable({
    read() {
      if (left === 0) return void this.push(null);
      const size = Math.min(left, piece.length);
      left -= size;
      this.push(size === piece.length ? piece : piece.subarray(0, size));
    },
  });
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
      maxRssMb: process.resourceUsage().maxRSS / 1024,
    };
  }
  return { sample };
}
