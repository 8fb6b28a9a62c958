import { gzipCoding } from "../contentCodings";

/** Largest body that travels as it is, in bytes; half of what brokers take by default, so that headers have room. */
export const plainBodyBytes = 524_288;

/** A body on its way: what the message carries, and how. */
export interface CodedBody {
  readonly payload: string | Uint8Array;
  readonly coding?: "gzip";
}

/**
 * Compresses what is too large for a message.
 *
 * @returns at once for what is not
 */
export function codeBody(text: string, limitBytes: number): CodedBody | Promise<CodedBody> {
  // No character of a string takes more than three bytes.
  if (text.length * 3 <= limitBytes || (text.length <= limitBytes && Buffer.byteLength(text) <= limitBytes)) {
    return { payload: text };
  }
  return compress(text);
}

const compress = async (text: string): Promise<CodedBody> => ({
  payload: await gzipCoding.encode(text),
  coding: "gzip",
});

/** The most that is sent as one message. */
export const messageLimit = (maxPayload: number): number => Math.min(plainBodyBytes, Math.floor(maxPayload / 2));
