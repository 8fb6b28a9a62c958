import { Readable, Transform } from "node:stream";
import type { ReadableStream as NodeWebStream } from "node:stream/web";
import { asBytes } from "../../lib/bytes";
import type { FileStream } from "../../platform/inputFile";

/** Node streams as they are; web streams, generators and streams of the old kind as Node streams, the same one each time. */
export function toReadable(source: ByteSource): Readable {
  if (source instanceof Readable) return source;
  let readable = readables.get(source);
  if (readable !== undefined) return readable;
  // It may fail between two calls, neither of which listens.
  readable = asReadable(source).on("error", () => {});
  readables.set(source, readable);
  return readable;
}

type ByteSource = FileStream | NodeJS.ReadableStream | ReadableStream<Uint8Array>;

/** A web stream belongs to its first reader, also where a call is then sent elsewhere before anything was read. */
const readables = /* @__PURE__ */ new WeakMap<object, Readable>();

function asReadable(source: ByteSource): Readable {
  if ("getReader" in source) return Readable.fromWeb(source as NodeWebStream);
  if ("pipe" in source && !(Symbol.asyncIterator in source)) return new Readable().wrap(source);
  return Readable.from(source);
}

/** Passes bytes on and reports how many. */
export function countingStream(count: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk.byteLength);
      done(null, chunk);
    },
  });
}

/** Passes bytes on and fails at anything else, which a socket would throw at instead. */
export function bytesOnly(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform(chunk: unknown, _encoding, done) {
      const bytes = asBytes(chunk);
      if (bytes !== undefined) done(null, bytes);
      else
        done(
          new TypeError(`A stream to be sent holds a value of type ${typeof chunk}; only text and bytes can be sent.`),
        );
    },
  });
}
