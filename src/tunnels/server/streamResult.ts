import type { ByteStream, WireHeaders } from "../protocol/wire";
import { octetContentType, requestIdHeader } from "../protocol/headers";

/** A result that is sent as bytes instead of an envelope. */
export interface StreamResult {
  readonly stream: ByteStream;
  readonly status: number;
  readonly contentType: string;
  readonly headers: WireHeaders;
}

/**
 * Recognises a streamed result: a Node readable, a web `ReadableStream`, an async generator of bytes or text, or
 * `{ stream, status?, contentType?, headers? }` around one of them.
 *
 * @returns `undefined` for everything else, other async iterables included
 */
export function readStreamResult(result: unknown): StreamResult | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const whole = toByteStream(result);
  if (whole !== undefined) return { stream: whole, status: 200, contentType: octetContentType, headers: {} };
  const { stream: inner, status = 200, contentType, headers } = result as Partial<StreamResult>;
  const stream = typeof inner === "object" && inner !== null ? toByteStream(inner) : undefined;
  if (stream === undefined) return undefined;
  const { "content-type": ownContentType, ...rest } = allowedHeaders(headers ?? {});
  return { stream, status, contentType: contentType ?? String(ownContentType ?? octetContentType), headers: rest };
}

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

function toByteStream(value: object): ByteStream | undefined {
  if (isNodeReadable(value)) return value as unknown as ByteStream;
  if ("getReader" in value && typeof value.getReader === "function") {
    if ((value as ReadableStream).locked) throw new TypeError("A streamed result is being read by something else.");
    // By its reader: not every runtime's web streams can be iterated.
    return readAsBytes(() => iterateReader((value as ReadableStream).getReader()));
  }
  // Of everything that can be iterated asynchronously, a generator alone cannot have been meant as data.
  if (Object.prototype.toString.call(value) === "[object AsyncGenerator]") {
    return readAsBytes(() => value as AsyncGenerator);
  }
  return undefined;
}

/** By more than `pipe`: responses have that, too, and so have things that are no streams at all. */
function isNodeReadable(value: object): boolean {
  const { pipe, on, resume } = value as Record<"pipe" | "on" | "resume", unknown>;
  return [pipe, on, resume].every((member) => typeof member === "function");
}

/**
 * Not a generator: one that has not started skips its `finally`, and would not let go of what it reads.
 */
const readAsBytes = (open: () => AsyncIterator<unknown>): ByteStream => ({
  [Symbol.asyncIterator]() {
    const chunks = open();
    return {
      async next() {
        const { done, value } = await chunks.next();
        if (done) return ended;
        try {
          return { done: false, value: toBytes(value) };
        } catch (error) {
          await chunks.return?.();
          throw error;
        }
      },
      async return() {
        await chunks.return?.();
        return ended;
      },
    };
  },
});

const ended = { done: true, value: undefined } as const;

const iterateReader = (reader: ReadableStreamDefaultReader): AsyncIterator<unknown> => ({
  next: () => reader.read() as Promise<IteratorResult<unknown>>,
  async return() {
    await reader.cancel();
    return ended;
  },
});

/** Lets go of a streamed result that is not sent; other results are left alone, and so is what somebody else reads. */
export function discardResult(result: unknown): void {
  try {
    const streamed = readStreamResult(result);
    if (streamed !== undefined) discardStream(streamed.stream);
  } catch {
    // It is locked.
  }
}

/** Lets go of a stream that nobody reads. What fails while it does is nobody's concern. */
export function discardStream(stream: ByteStream): void {
  if ("pipe" in stream) {
    const source = stream as unknown as { on(event: "error", listener: () => void): void; destroy?(): void };
    source.on("error", () => {});
    source.destroy?.();
    return;
  }
  const closing = stream[Symbol.asyncIterator]().return?.();
  closing?.catch(() => {});
}

/** A chunk of a streamed result as bytes. @throws {TypeError} it is neither bytes nor text */
export function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return new TextEncoder().encode(chunk);
  throw new TypeError(`A streamed result may yield bytes or text, got ${typeof chunk}.`);
}
