import type { Transform } from "node:stream";
import { promisify } from "node:util";
import zlib, { brotliCompress, brotliDecompress, deflate, gunzip, gzip, inflate } from "node:zlib";

/** A content coding of HTTP. @see RFC 9110 §8.4.1 */
export interface ContentCoding {
  readonly name: "br" | "gzip" | "deflate";
  /** Flushes after each chunk: what is streamed is read while it is made. */
  readonly createEncoder: () => Transform;
  readonly createDecoder: () => Transform;
  readonly encode: (content: string) => Promise<Buffer>;
  /** Rejects with `ERR_BUFFER_TOO_LARGE` past `maxOutputLength` bytes, and with an error of zlib for other bytes. */
  readonly decode: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
}

/** Middling quality: the default one of brotli takes a hundred times longer for a tenth less. */
const brotliParams = () => ({ [zlib.constants.BROTLI_PARAM_QUALITY]: 4 });

const compressBrotli = /* @__PURE__ */ promisify(brotliCompress);

const br: ContentCoding = {
  name: "br",
  createEncoder: () =>
    zlib.createBrotliCompress({ params: brotliParams(), flush: zlib.constants.BROTLI_OPERATION_FLUSH }),
  createDecoder: () => zlib.createBrotliDecompress(),
  encode: (content) => compressBrotli(content, { params: brotliParams() }),
  decode: /* @__PURE__ */ promisify(brotliDecompress),
};

export const gzipCoding: ContentCoding = {
  name: "gzip",
  createEncoder: () => zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH }),
  createDecoder: () => zlib.createGunzip(),
  encode: /* @__PURE__ */ promisify<string, Buffer>(gzip),
  decode: /* @__PURE__ */ promisify(gunzip),
};

const deflateCoding: ContentCoding = {
  name: "deflate",
  createEncoder: () => zlib.createDeflate({ flush: zlib.constants.Z_SYNC_FLUSH }),
  createDecoder: () => zlib.createInflate(),
  encode: /* @__PURE__ */ promisify<string, Buffer>(deflate),
  decode: /* @__PURE__ */ promisify(inflate),
};

/** The codings of both directions, in a server's order of preference. */
export const contentCodings: readonly ContentCoding[] = [br, gzipCoding, deflateCoding];

/** What a client that accepts compressed replies says it understands. */
export const acceptEncoding = "gzip, deflate, br";

/** The coding of a name, in any case. `x-gzip` is gzip (RFC 9110 §8.4.1.3). */
export function findCoding(name: string): ContentCoding | undefined {
  const known = name.toLowerCase();
  return contentCodings.find((coding) => coding.name === (known === "x-gzip" ? "gzip" : known));
}
