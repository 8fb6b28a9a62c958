import { Readable, Transform } from "node:stream";
import type { ByteStream } from "../../../tunnels/protocol/wire";
import { toBytes } from "../../../tunnels/server/streamResult";

/** A reply's stream as one of Node's, and behind it what checks its chunks where they may be anything. */
export function toNodeStreams(stream: ByteStream): (Readable | Transform)[] {
  if (!("pipe" in stream)) return [Readable.from(stream, { objectMode: false })];
  const source = stream as unknown as Readable;
  // A response throws at a chunk that is no bytes, out of reach of whoever pipes.
  return source.readableObjectMode === false ? [source] : [source, createByteCheck()];
}

const createByteCheck = (): Transform =>
  new Transform({
    writableObjectMode: true,
    transform(chunk, _encoding, done) {
      try {
        done(null, toBytes(chunk));
      } catch (error) {
        done(error as Error);
      }
    },
  });
