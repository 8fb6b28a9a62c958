import { replyTooLarge } from "../../tunnels/protocol/replyLimit";
import { isJson, isSuccess } from "../../tunnels/protocol/replyKind";
import { decodeBytes } from "./contentDecoding";

/** A reply that is no envelope is only quoted in an error, so its beginning is enough. */
const previewBytes = 65_536;

export interface ReplyTextOptions {
  readonly status: number;
  readonly contentType: string | undefined;
  /** Content coding of the bytes, if they have one. */
  readonly encoding: string | undefined;
  /** Of an envelope, once decoded. */
  readonly limitBytes: number;
}

/**
 * Collects the bytes of a reply that becomes one text, up to a limit.
 *
 * A class, since every call makes one.
 */
export class ReplyText {
  readonly #options: ReplyTextOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(options: ReplyTextOptions) {
    this.#options = options;
  }

  /**
   * @returns false when no more is needed
   * @throws {TunnelError} `INVALID_RESPONSE`: an envelope over the limit
   */
  add(chunk: Buffer): boolean {
    this.#bytes += chunk.byteLength;
    this.#chunks.push(chunk);
    const { limitBytes } = this.#options;
    if (this.#isQuoted) return this.#bytes < Math.min(limitBytes, previewBytes);
    if (this.#bytes > limitBytes) throw replyTooLarge(limitBytes);
    return true;
  }

  /**
   * The text, decoded as a whole: a character may be cut by the border of two chunks. At once, unless the bytes are
   * compressed, which was not asked for but proxies are known to do all the same.
   *
   * @throws {TunnelError | Error} (as a rejection) an envelope that cannot be decompressed, or is too large then
   */
  end(): string | Promise<string> {
    const [first, ...others] = this.#chunks;
    const bytes = first === undefined || others.length > 0 ? Buffer.concat(this.#chunks, this.#bytes) : first;
    const { encoding, limitBytes } = this.#options;
    if (encoding === undefined || bytes.byteLength === 0) return bytes.toString();
    const decoding = decodeBytes(bytes, encoding, limitBytes).then((decoded) => decoded.toString());
    // What a proxy says about its failure matters less than that it failed.
    return this.#isQuoted ? decoding.catch(() => "") : decoding;
  }

  get #isQuoted(): boolean {
    const { status, contentType } = this.#options;
    return !isSuccess(status) && !isJson(contentType);
  }
}
