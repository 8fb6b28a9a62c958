import { streamKindOf } from "../../lib/streamKind";
import { octetContentType } from "../protocol/byteTypes";
import { requestIdHeader } from "../protocol/headers";
import { isBodiless, type WireHeaders } from "../protocol/wire";

/** A result that is sent as bytes instead of an envelope. */
export interface StreamResult {
  readonly stream: PieceStream;
  readonly status: number;
  readonly contentType: string;
  readonly headers: WireHeaders;
  /** Whether the head is sent at once instead of with the first bytes. */
  readonly flushHeaders: boolean;
}

/** What a task streams: pieces that should be bytes or text. */
export type PieceStream = AsyncIterable<unknown>;

/**
 * Recognises a streamed result: a Node readable, a web `ReadableStream`, an async generator of bytes or text, or
 * `{ stream, status?, contentType?, headers?, flushHeaders? }` around one of them.
 *
 * @returns `undefined` for everything else, other async iterables included
 */
export function readStreamResult(result: unknown): StreamResult | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const whole = toPieceStream(result);
  if (whole !== undefined) {
    return { stream: whole, status: 200, contentType: octetContentType, headers: {}, flushHeaders: false };
  }
  const { stream: inner, status = 200, contentType, headers, flushHeaders } = result as Partial<StreamResult>;
  const stream = typeof inner === "object" && inner !== null ? toPieceStream(inner) : undefined;
  if (stream === undefined) return undefined;
  const { "content-type": ownContentType, ...rest } = allowedHeaders(headers ?? {});
  const type = contentType ?? String(ownContentType ?? octetContentType);
  return { stream, status, contentType: type, headers: rest, flushHeaders: flushHeaders ?? isEventStream(type) };
}

/** Whether a reply is begun before its stream is: the task says so, or the stream is not going to be read at all. */
export const startsLate = ({ flushHeaders, status }: StreamResult): boolean => flushHeaders || isBodiless(status);

/** Browsers report an event source as open when its head arrives, however late its first event comes. */
const isEventStream = (contentType: string): boolean => /^\s*text\/event-stream\s*(;|$)/i.test(contentType);

/** What a task may not decide: who may read the reply, what it is taken for, and how it is framed. */
const reserved: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "set-cookie",
  "x-content-type-options",
  "x-frame-options",
  requestIdHeader,
  // RFC 9110 §7.6.1
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const isReserved = (name: string): boolean =>
  reserved.has(name) || name.startsWith("access-control-") || name.startsWith("proxy-");

function allowedHeaders(headers: WireHeaders): Record<string, string | string[] | undefined> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(entries.filter(([name, value]) => value !== undefined && !isReserved(name)));
}

function toPieceStream(value: object): PieceStream | undefined {
  const kind = streamKindOf(value);
  if (kind === "node") return value as PieceStream;
  if (kind === "web") {
    if ((value as ReadableStream).locked) throw new TypeError("A streamed result is being read by something else.");
    // By its reader: not every runtime's web streams can be iterated.
    return { [Symbol.asyncIterator]: () => iterateReader((value as ReadableStream).getReader()) };
  }
  // Of everything that can be iterated asynchronously, a generator alone cannot have been meant as data.
  return Object.prototype.toString.call(value) === "[object AsyncGenerator]" ? (value as AsyncGenerator) : undefined;
}

const ended = { done: true, value: undefined } as const;

const iterateReader = (reader: ReadableStreamDefaultReader): AsyncIterator<unknown> => ({
  next: () => reader.read() as Promise<IteratorResult<unknown>>,
  async return() {
    await reader.cancel();
    return ended;
  },
});

/** Releases a streamed result that is not sent; other results are left alone, and so is what another reader holds. */
export function discardResult(result: unknown): void {
  try {
    const streamed = readStreamResult(result);
    if (streamed !== undefined) discardStream(streamed.stream);
  } catch {
    // It is locked.
  }
}

/** Releases a stream that is not read. What fails meanwhile is ignored. */
export function discardStream(stream: PieceStream): void {
  if (streamKindOf(stream) === "node") {
    const source = stream as unknown as { on(event: "error", listener: () => void): void; destroy?(): void };
    source.on("error", () => {});
    source.destroy?.();
    return;
  }
  const closing = stream[Symbol.asyncIterator]().return?.();
  closing?.catch(() => {});
}
