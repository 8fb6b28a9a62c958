import { flagInfo, flagUpgrade, readUint32, writeUint32 } from "./frames";
import { MuxProtocolError } from "./protocolError";

/** A TCP stream that the relay opens. */
export interface OpenPayload {
  readonly bindId: number;
  /** Address of the visitor and of the listener, as `host:port`. */
  readonly peer: string;
  readonly local: string;
}

/** What a receiver has taken and may be sent; absolute, so that repeating it changes nothing. */
export interface WindowPayload {
  /** Bytes taken since the stream began. */
  readonly consumedTotal: number;
  /** Bytes that may be sent beyond those. */
  readonly windowBytes: number;
}

export interface ResetPayload {
  /** A `ResetCode`; unknown numbers are passed on. */
  readonly code: number;
  readonly receivedTotal: number;
  readonly reason: string;
}

/** Names and values in turn, in order and original case; every character stands for one byte (Latin-1). */
export type FlatHeaders = readonly string[];

/** The head of a request, relay to driver. */
export interface RequestHead {
  readonly method: string;
  /** In origin form. */
  readonly target: string;
  readonly headers: FlatHeaders;
  readonly bindId: number;
  readonly peer: string;
  readonly requestId: string;
  /** Length of the body, if it was declared. */
  readonly contentLength?: number | undefined;
}

/** The head of a response, driver to relay. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: FlatHeaders;
  /** Length of the body, if it was declared. */
  readonly contentLength?: number | undefined;
}

/** Longest reason of a reset, in bytes. */
const maxReasonBytes = 256;
/** Most headers of a head, or trailers: what a parser of Node takes, with those that a relay adds. */
const maxHeaders = 2048;

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true });

export function encodeOpen({ bindId, peer, local }: OpenPayload): Uint8Array {
  const meta = encodeJson({ peer, local });
  if (meta.length > 255) return encodeOpen({ bindId, peer: "", local: "" });
  const bytes = new Uint8Array(5 + meta.length);
  writeUint32(bytes, 0, bindId);
  bytes[4] = meta.length;
  bytes.set(meta, 5);
  return bytes;
}

/** @throws {MuxProtocolError} as all decoders here: the payload is malformed */
export function decodeOpen(payload: Uint8Array): OpenPayload {
  if (payload.length < 5 || payload.length !== 5 + (payload[4] as number)) throw malformed("OPEN");
  const meta = payload.length === 5 ? {} : asRecord(parseJson(payload.subarray(5), "OPEN"), "OPEN");
  return { bindId: readUint32(payload, 0), peer: textOr(meta.peer, ""), local: textOr(meta.local, "") };
}

export function encodeWindow({ consumedTotal, windowBytes }: WindowPayload): Uint8Array {
  const bytes = new Uint8Array(12);
  writeUint64(bytes, 0, consumedTotal);
  writeUint32(bytes, 8, windowBytes);
  return bytes;
}

export function decodeWindow(payload: Uint8Array): WindowPayload {
  if (payload.length !== 12) throw malformed("WINDOW");
  return { consumedTotal: readUint64(payload, 0, "WINDOW"), windowBytes: readUint32(payload, 8) };
}

export function encodeReset({ code, receivedTotal, reason }: ResetPayload): Uint8Array {
  const text = cut(encoder.encode(reason), maxReasonBytes);
  const bytes = new Uint8Array(10 + text.length);
  bytes[0] = code >>> 8;
  bytes[1] = code;
  writeUint64(bytes, 2, receivedTotal);
  bytes.set(text, 10);
  return bytes;
}

export function decodeReset(payload: Uint8Array): ResetPayload {
  if (payload.length < 10 || payload.length > 10 + maxReasonBytes) throw malformed("RESET");
  const code = ((payload[0] as number) << 8) | (payload[1] as number);
  const receivedTotal = readUint64(payload, 2, "RESET");
  return { code, receivedTotal, reason: decodeText(payload.subarray(10), "RESET") };
}

export const encodeRequestHead = (head: RequestHead): Uint8Array =>
  encodeJson({
    m: head.method,
    u: head.target,
    h: head.headers,
    b: head.bindId,
    peer: head.peer,
    id: head.requestId,
    cl: head.contentLength,
  });

export function decodeRequestHead(payload: Uint8Array): RequestHead {
  const { m, u, h, b, peer, id, cl } = asRecord(parseJson(payload, "HEAD"), "HEAD");
  if (typeof m !== "string" || !isToken(m)) throw malformed("HEAD");
  if (typeof u !== "string" || !isTarget(u)) throw malformed("HEAD");
  return {
    method: m,
    target: u,
    headers: asHeaders(h),
    bindId: asUint32(b, "HEAD"),
    peer: textOr(peer, ""),
    requestId: textOr(id, ""),
    contentLength: asLength(cl),
  };
}

export const encodeResponseHead = (head: ResponseHead): Uint8Array =>
  encodeJson({ s: head.status, r: head.reason, h: head.headers, cl: head.contentLength });

/** @param flags those of the frame, which the status must agree with */
export function decodeResponseHead(payload: Uint8Array, flags: number): ResponseHead {
  const { s, r, h, cl } = asRecord(parseJson(payload, "HEAD"), "HEAD");
  if (!isStatus(s, flags)) throw malformed("HEAD");
  const reason = textOr(r, "");
  if (!isLine(reason)) throw malformed("HEAD");
  return { status: s, reason, headers: asHeaders(h), contentLength: asLength(cl) };
}

export const encodeTrailers = (trailers: FlatHeaders): Uint8Array => encodeJson(trailers);
export const decodeTrailers = (payload: Uint8Array): FlatHeaders => asHeaders(parseJson(payload, "TRAILERS"));

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

export function parseJson(payload: Uint8Array, frame: string): unknown {
  try {
    return JSON.parse(decodeText(payload, frame));
  } catch {
    throw malformed(frame);
  }
}

export function asRecord(value: unknown, frame: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(frame);
  return value as Record<string, unknown>;
}

export const malformed = (frame: string): MuxProtocolError => new MuxProtocolError(`A ${frame} frame is malformed.`);

/** RFC 9110 section 5.6.2. */
const isToken = (text: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
/** Bytes that can stand in one line of a head; a line break would begin another. */
const isLine = (text: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
/** Other forms of a target could lead somewhere else than to what is bound. */
const isTarget = (text: string): boolean => text === "*" || /^\/[\x21-\x7e\x80-\xff]*$/.test(text);

/**
 * An interim status that passed for a final one would make a visitor take the next response for this one, and a 101
 * that passed for one would hand it a connection that has not switched.
 */
function isStatus(status: unknown, flags: number): status is number {
  if (!Number.isInteger(status)) return false;
  const value = status as number;
  if (flags & flagInfo) return value >= 100 && value < 200 && value !== 101;
  return (value >= 200 && value <= 599) || ((flags & flagUpgrade) !== 0 && value === 101);
}

function asHeaders(value: unknown): FlatHeaders {
  if (!Array.isArray(value) || value.length % 2 !== 0 || value.length > 2 * maxHeaders) throw malformed("HEAD");
  const entries: readonly unknown[] = value;
  for (let index = 0; index < entries.length; index += 2) {
    const [name, content] = [entries[index], entries[index + 1]];
    if (typeof name !== "string" || typeof content !== "string") throw malformed("HEAD");
    if (!isToken(name) || !isLine(content)) throw malformed("HEAD");
  }
  checkLengths(value as string[]);
  return value as string[];
}

/** Of two lengths, or one that is no number, each reader would believe another, and see the next message elsewhere. */
function checkLengths(headers: FlatHeaders): void {
  let seen = 0;
  for (let index = 0; index < headers.length; index += 2) {
    if (!isContentLength(headers[index] as string)) continue;
    seen += 1;
    if (seen > 1 || !/^\d{1,15}$/.test(headers[index + 1] as string)) throw malformed("HEAD");
  }
}

/** Whether a header of this name states the length of a body. Most are told apart by how long they are. */
export const isContentLength = (name: string): boolean => name.length === 14 && name.toLowerCase() === "content-length";

const textOr = (value: unknown, fallback: string): string => (typeof value === "string" ? value : fallback);

function asUint32(value: unknown, frame: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffffffff) throw malformed(frame);
  return value as number;
}

function asLength(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed("HEAD");
  return value as number;
}

function decodeText(bytes: Uint8Array, frame: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed(frame);
  }
}

/** Cuts between characters: a byte that continues one is not a place to stop before. */
function cut(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

function writeUint64(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset, Math.floor(value / 0x100000000));
  writeUint32(bytes, offset + 4, value % 0x100000000);
}

function readUint64(bytes: Uint8Array, offset: number, frame: string): number {
  const value = readUint32(bytes, offset) * 0x100000000 + readUint32(bytes, offset + 4);
  if (!Number.isSafeInteger(value)) throw malformed(frame);
  return value;
}
