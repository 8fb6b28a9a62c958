import { createHash } from "node:crypto";
import { decodeResponseHead, type OpenPayload, type RequestHead } from "../../relay/framePayloads";
import { encodeFrameHeader, type FrameType } from "../../relay/frames";
import type { MuxStream } from "../../relay/muxStream";
import type { MuxPair } from "./muxPair";

export const open: OpenPayload = { bindId: 1, peer: "v:1", local: "l:2" };
export const head: RequestHead = { method: "POST", target: "/", headers: [], bindId: 1, peer: "v", requestId: "r" };

/** Bytes that are not the same everywhere. */
export const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) & 255);

export const sha = (pieces: readonly Uint8Array[]): string =>
  createHash("sha256").update(Buffer.concat(pieces)).digest("hex");

/** One frame as bytes. */
export const frameOf = (type: FrameType, flags: number, streamId: number, payload: string | Uint8Array = ""): Buffer =>
  Buffer.concat([encodeFrameHeader(type, flags, streamId, Buffer.byteLength(payload)), Buffer.from(payload)]);

/** Everything a stream received; consumes at once unless told to hold. */
export function record(stream: MuxStream, { holds = false } = {}) {
  const log: string[] = [];
  const pieces: Uint8Array[] = [];
  stream.handler = {
    onHead: (payload, flags) => log.push(`head ${decodeResponseHead(payload, flags).status}`),
    onData(bytes) {
      pieces.push(bytes.slice());
      if (!holds) stream.consumed(bytes.length);
    },
    onTrailers: (trailers) => log.push(`trailers ${trailers.join("=")}`),
    onEnd: () => log.push("end"),
    onAccept: () => log.push("accept"),
    onReset: ({ code, reason }) => log.push(`reset ${code} ${reason}`),
  };
  return { log, pieces };
}

/** Writes all of it, at the pace the stream allows. */
export function writeAll(stream: MuxStream, bytes: Uint8Array, pieceBytes = 16_384): void {
  let at = 0;
  const go = (): void => {
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + pieceBytes);
      at += piece.length;
      if (!stream.write(piece)) return;
    }
    stream.end();
  };
  const { handler } = stream;
  stream.handler = { ...handler, onDrain: go };
  go();
}

/** A TCP stream that the relay opens. @throws {Error} it takes no more */
export function opened(pair: MuxPair): MuxStream {
  const stream = pair.relay.session.openTcp(open);
  if (stream === undefined) throw new Error("No stream was opened.");
  return stream;
}

/** As `opened`, for an HTTP exchange. */
export function openedHttp(pair: MuxPair, fields: Partial<RequestHead> = {}): MuxStream {
  const stream = pair.relay.session.openHttp({ ...head, ...fields }, 0);
  if (typeof stream !== "object") throw new Error("No stream was opened.");
  return stream;
}
