import type { IncomingMessage } from "node:http";
import { Transform, type Readable, type TransformCallback } from "node:stream";
import { promisify } from "node:util";
import zlib, { brotliCompress, deflate, gzip } from "node:zlib";
import { payloadTooLarge, requestAborted, unsupportedEncoding } from "../../errors/wireErrors";

/** A content coding of HTTP that both directions know. */
export type ContentCoding = "br" | "gzip" | "deflate";

/** In order of preference; at equal weight the first one that a caller takes is used. */
const codings: readonly ContentCoding[] = ["br", "gzip", "deflate"];

/** Middling quality: the default one of brotli takes a hundred times longer for a tenth less. */
const brotliParams = () => ({ [zlib.constants.BROTLI_PARAM_QUALITY]: 4 });

const compressBrotli = /* @__PURE__ */ promisify(brotliCompress);
const compressGzip = /* @__PURE__ */ promisify(gzip);
const compressDeflate = /* @__PURE__ */ promisify(deflate);

const textCompressors: Record<ContentCoding, (text: string) => Promise<Buffer>> = {
  br: (text) => compressBrotli(text, { params: brotliParams() }),
  gzip: (text) => compressGzip(text),
  deflate: (text) => compressDeflate(text),
};

const decoders: Record<ContentCoding, () => Transform> = {
  br: () => zlib.createBrotliDecompress(),
  gzip: () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
};

export const compressText = (coding: ContentCoding, text: string): Promise<Buffer> => textCompressors[coding](text);

/** Flushes after each chunk: a reply that is streamed is read while it is made. */
export function createCompressor(coding: ContentCoding): Transform {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  if (coding === "br") return zlib.createBrotliCompress({ params: brotliParams(), flush: BROTLI_OPERATION_FLUSH });
  return coding === "gzip" ? zlib.createGzip({ flush: Z_SYNC_FLUSH }) : zlib.createDeflate({ flush: Z_SYNC_FLUSH });
}

/** Types that would only grow. */
export const isCompressed = (contentType: string): boolean =>
  /^(image\/(?!svg)|video\/|audio\/|application\/(zip|gzip|x-(gzip|bzip2?|7z-compressed|rar-compressed|xz)|zstd))/i.test(
    contentType,
  );

/** The coding a caller asks for; none where it says nothing. @see RFC 9110 §12.5.3 */
export function negotiateCoding(acceptEncoding: string | string[] | undefined): ContentCoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const weights = new Map(String(acceptEncoding).split(",").map(readWeight));
  const weightOf = (coding: ContentCoding): number => weights.get(coding) ?? weights.get("*") ?? 0;
  const [best] = codings.filter((coding) => weightOf(coding) > 0).sort((a, b) => weightOf(b) - weightOf(a));
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
  const coding = req.headers["content-encoding"]?.trim().toLowerCase();
  if (coding === undefined || coding === "" || coding === "identity") return req;
  const decoder = codings.find((known) => known === coding || (known === "gzip" && coding === "x-gzip"));
  if (decoder === undefined) throw unsupportedEncoding();
  // Not `pipeline`: it would destroy the request with the decoder, and the request's failure still needs a reply.
  const decoded = decoders[decoder]();
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
const codingBytes = 64 * 1024;

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
