import { MuxProtocolError } from "./protocolError";

/** Frame types of mux v1, and what each carries. Numbers that are missing are reserved. */
export const FrameType = /* @__PURE__ */ Object.freeze({
  /** Bytes of a stream, counted by flow control. */
  DATA: 0,
  /** A TCP stream. */
  OPEN: 1,
  WINDOW: 2,
  RESET: 3,
  /** The head of an HTTP request or response. */
  HEAD: 4,
  TRAILERS: 5,
  PING: 6,
  CONTROL: 7,
  /** The driver has taken an OPEN or HEAD. */
  ACCEPT: 8,
  /** Ignored, so that later versions can add to it. */
  EXTENSION: 15,
} as const);
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** On DATA, HEAD and TRAILERS: the sender's last bytes of the stream. */
export const flagEnd = 1;
/** On HEAD: an interim response, more heads follow. */
export const flagInfo = 2;
/** On HEAD: a request to switch protocols, or the answer that does. */
export const flagUpgrade = 4;
/** On PING: the reply to one. */
export const flagAck = 1;

export const frameHeaderBytes = 8;
/** No peer may negotiate larger frames, in bytes of payload. */
export const hardFrameBytes = 262_144;

/** Largest control message, in bytes, whatever size of frames was agreed on. */
export const maxControlBytes = 65_536;

/** One frame. The payload may share memory with what arrived. */
export interface Frame {
  readonly type: FrameType;
  readonly flags: number;
  /** 0 for the session. */
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** The eight bytes before a payload; all integers are big-endian. */
export function encodeFrameHeader(type: FrameType, flags: number, streamId: number, length: number): Uint8Array {
  const header = new Uint8Array(frameHeaderBytes);
  writeFrameHeader(header, 0, { type, flags, streamId }, length);
  return header;
}

/** As `encodeFrameHeader`, into bytes that are there. */
export function writeFrameHeader(
  bytes: Uint8Array,
  offset: number,
  { type, flags, streamId }: Pick<Frame, "type" | "flags" | "streamId">,
  length: number,
): void {
  bytes[offset] = (flags << 4) | type;
  bytes[offset + 1] = length >>> 16;
  bytes[offset + 2] = length >>> 8;
  bytes[offset + 3] = length;
  writeUint32(bytes, offset + 4, streamId);
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]];
  return a * 0x1000000 + ((b << 16) | (c << 8) | d);
}

/**
 * Cuts a stream of bytes into frames; a WebSocket message may hold several, or part of one.
 *
 * Lengths are checked before anything of that size is made, so a peer cannot make us allocate more than one frame.
 */
export class FrameReader {
  #maxFrameBytes: number;
  readonly #onFrame: (frame: Frame) => void;
  readonly #header = new Uint8Array(frameHeaderBytes);
  #headerFill = 0;
  /** The frame whose payload has not arrived whole. */
  #partial: PartialFrame | undefined;

  /** @param maxFrameBytes largest payload, in bytes */
  constructor(maxFrameBytes: number, onFrame: (frame: Frame) => void) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** From the next frame on, payloads are at most this large, in bytes. */
  limitFrames(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** @throws {MuxProtocolError} the bytes are no frames, or a frame is too large */
  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      offset = this.#partial === undefined ? this.#readHeader(bytes, offset) : this.#readPayload(bytes, offset);
    }
  }

  #readHeader(bytes: Uint8Array, offset: number): number {
    // Almost every header arrives whole, and need not be copied.
    if (this.#headerFill === 0 && bytes.length - offset >= frameHeaderBytes) {
      return this.#begin(this.#parseHeader(bytes, offset), bytes, offset + frameHeaderBytes);
    }
    const taken = Math.min(frameHeaderBytes - this.#headerFill, bytes.length - offset);
    this.#header.set(bytes.subarray(offset, offset + taken), this.#headerFill);
    this.#headerFill += taken;
    const end = offset + taken;
    if (this.#headerFill < frameHeaderBytes) return end;
    this.#headerFill = 0;
    return this.#begin(this.#parseHeader(this.#header, 0), bytes, end);
  }

  /** @param offset of the payload */
  #begin({ type, flags, streamId, length }: FrameHeader, bytes: Uint8Array, offset: number): number {
    if (length <= bytes.length - offset) {
      this.#onFrame({ type, flags, streamId, payload: bytes.subarray(offset, offset + length) });
      return offset + length;
    }
    this.#partial = { type, flags, streamId, length, payload: undefined, fill: 0 };
    return offset;
  }

  #readPayload(bytes: Uint8Array, offset: number): number {
    const partial = this.#partial as PartialFrame;
    const { type, flags, streamId, length } = partial;
    // Senders put large payloads into messages of their own: such a one need not be copied.
    if (partial.fill === 0 && length <= bytes.length - offset) {
      this.#partial = undefined;
      this.#onFrame({ type, flags, streamId, payload: bytes.subarray(offset, offset + length) });
      return offset + length;
    }
    const payload = (partial.payload ??= new Uint8Array(length));
    const taken = Math.min(length - partial.fill, bytes.length - offset);
    payload.set(bytes.subarray(offset, offset + taken), partial.fill);
    partial.fill += taken;
    if (partial.fill === length) {
      this.#partial = undefined;
      this.#onFrame({ type, flags, streamId, payload });
    }
    return offset + taken;
  }

  #parseHeader(bytes: Uint8Array, offset: number): FrameHeader {
    const first = bytes[offset] as number;
    const type = first & 15;
    const length = readUint32(bytes, offset) & 0xffffff;
    const streamId = readUint32(bytes, offset + 4);
    if (!isKnownType(type)) throw new MuxProtocolError(`Frame type ${type} is not known.`);
    const maxBytes = type === FrameType.CONTROL ? maxControlBytes : this.#maxFrameBytes;
    if (length > maxBytes) {
      throw new MuxProtocolError(`A frame of ${length} bytes is over the limit of ${maxBytes}.`);
    }
    if (streamId > maxStreamId) throw new MuxProtocolError("The highest bit of a stream id is reserved.");
    if (type !== FrameType.EXTENSION && isSessionType(type) !== (streamId === 0)) {
      throw new MuxProtocolError(`A frame of type ${type} cannot have the stream id ${streamId}.`);
    }
    return { type, flags: first >>> 4, streamId, length };
  }
}

interface FrameHeader extends Omit<Frame, "payload"> {
  /** Of the payload, in bytes. */
  readonly length: number;
}

interface PartialFrame extends FrameHeader {
  /** Made with its first bytes. */
  payload: Uint8Array | undefined;
  /** Bytes of the payload that are there. */
  fill: number;
}

/** Ids are never used again; the opener says goodbye before it runs out. */
export const maxStreamId = 0x7fffffff;

const isSessionType = (type: FrameType): boolean => type === FrameType.PING || type === FrameType.CONTROL;

const isKnownType = (type: number): type is FrameType => type <= FrameType.ACCEPT || type === FrameType.EXTENSION;
