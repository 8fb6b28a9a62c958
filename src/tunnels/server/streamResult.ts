import type { ByteStream, WireHeaders } from "../protocol/wire";
import { octetContentType } from "../protocol/headers";

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
  const { stream: inner, status = 200, contentType, headers = {} } = result as Partial<StreamResult>;
  const stream = typeof inner === "object" && inner !== null ? toByteStream(inner) : undefined;
  if (stream === undefined) return undefined;
  const { "content-type": ownContentType, ...rest } = allowedHeaders(headers);
  return { stream, status, contentType: contentType ?? String(ownContentType ?? octetContentType), headers: rest };
}

/** What a task may not decide: who may read the reply, what it is taken for, and how it is framed. */
const reserved: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "set-cookie",
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "x-content-type-options",
  "x-frame-options",
  "transfer-encoding",
  "connection",
]);

function allowedHeaders(headers: WireHeaders): Record<string, string | string[] | undefined> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(entries.filter(([name, value]) => value !== undefined && !reserved.has(name)));
}

function toByteStream(value: object): ByteStream | undefined {
  if ("pipe" in value && typeof value.pipe === "function") return value as unknown as ByteStream;
  if ("getReader" in value && typeof value.getReader === "function") return readWebStream(value as ReadableStream);
  // Of everything that can be iterated asynchronously, a generator alone cannot have been meant as data.
  if (Object.prototype.toString.call(value) === "[object AsyncGenerator]")
    return readGenerator(value as AsyncGenerator);
  return undefined;
}

/** By its reader: not every runtime's web streams can be iterated. */
async function* readWebStream(stream: ReadableStream): ByteStreamGenerator {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield toBytes(value);
    }
  } finally {
    await reader.cancel();
  }
}

async function* readGenerator(chunks: AsyncIterable<unknown>): ByteStreamGenerator {
  for await (const chunk of chunks) yield toBytes(chunk);
}

type ByteStreamGenerator = AsyncGenerator<Uint8Array, void, undefined>;

/** A chunk of a streamed result as bytes. @throws {TypeError} it is neither bytes nor text */
export function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return new TextEncoder().encode(chunk);
  throw new TypeError(`A streamed result may yield bytes or text, got ${typeof chunk}.`);
}
