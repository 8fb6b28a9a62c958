import type { IncomingMessage } from "node:http";
import { Transform, type Readable, type TransformCallback } from "node:stream";
import { payloadTooLarge, requestAborted, unsupportedEncoding } from "../../errors/wireErrors";
import { contentCodings, findCoding, type ContentCoding } from "../contentCodings";

/** Types that would only grow. */
export const isCompressed = (contentType: string): boolean =>
  /^(image\/(?!svg)|video\/|audio\/|application\/(zip|gzip|x-(gzip|bzip2?|7z-compressed|rar-compressed|xz)|zstd))/i.test(
    contentType,
  );

/** The coding a caller asks for; none where it says nothing. @see RFC 9110 §12.5.3 */
export function negotiateCoding(acceptEncoding: string | string[] | undefined): ContentCoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const weights = new Map(String(acceptEncoding).split(",").map(readWeight));
  const weightOf = (coding: ContentCoding): number => weights.get(coding.name) ?? weights.get("*") ?? 0;
  const [best] = contentCodings.filter((coding) => weightOf(coding) > 0).sort((a, b) => weightOf(b) - weightOf(a));
  return best !== undefined && weightOf(best) >= (weights.get("identity") ?? 0) ? best : undefined;
}

function readWeight(item: string): [coding: string, weight: number] {
  const [coding = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return [coding, weight >= 0 && weight <= 1 ? weight : 0];
}

/**
 * The body of a request with its coding undone.
 *
 * @param limitBytes of what comes out, and, but for a little, of what goes in: a small body may decode to a very large
 * one, and a very large one to nothing
 * @throws {WireFailure} 415, the coding is not one of ours
 */
export function decodeRequest(req: IncomingMessage, limitBytes: number): Readable {
  const name = req.headers["content-encoding"]?.trim().toLowerCase();
  if (name === undefined || name === "" || name === "identity") return req;
  const coding = findCoding(name);
  if (coding === undefined) throw unsupportedEncoding();
  // Not `pipeline`: it would destroy the request with the decoder, and the request's failure still needs a reply.
  const decoded = coding.createDecoder();
  const limited = new ByteLimit(limitBytes);
  const fail = (error: Error): void => {
    req.unpipe(decoded).pause();
    limited.destroy(error);
  };
  let leftBytes = limitBytes + codingBytes;
  req.on("data", (chunk: Buffer) => {
    leftBytes -= chunk.byteLength;
    if (leftBytes < 0) fail(payloadTooLarge());
  });
  req.on("error", fail).pipe(decoded).on("error", fail).pipe(limited).on("error", fail);
  // The connection may have been lost before a listener was attached.
  if (req.destroyed) fail(requestAborted());
  return limited;
}

/** What a coding may add to a body that it does not make smaller: heads, and the frames around what is left as it is. */
const codingBytes = 65_536;

/** Passes bytes on until there are too many. */
class ByteLimit extends Transform {
  #leftBytes: number;

  constructor(limitBytes: number) {
    super();
    this.#leftBytes = limitBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#leftBytes -= chunk.byteLength;
    if (this.#leftBytes < 0) done(payloadTooLarge());
    else done(null, chunk);
  }
}
