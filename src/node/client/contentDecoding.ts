import { pipeline, type Readable, type Transform } from "node:stream";
import { brotliDecompress, createBrotliDecompress, createGunzip, createInflate, gunzip, inflate } from "node:zlib";
import { promisify } from "node:util";
import { TunnelError } from "../../errors/tunnelError";
import { replyTooLarge } from "../../tunnels/protocol/replyLimit";

/** What a client that accepts compressed replies says it understands. */
export const acceptEncoding = "gzip, deflate, br";

interface Coding {
  readonly stream: () => Transform;
  readonly whole: (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;
}

const gzip: Coding = { stream: () => createGunzip(), whole: /* @__PURE__ */ promisify(gunzip) };
const codings: ReadonlyMap<string, Coding> = /* @__PURE__ */ new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  ["deflate", { stream: () => createInflate(), whole: /* @__PURE__ */ promisify(inflate) }],
  ["br", { stream: () => createBrotliDecompress(), whole: /* @__PURE__ */ promisify(brotliDecompress) }],
]);

/**
 * Undoes the content encoding of a stream. It is destroyed when reading stops before the end.
 *
 * @throws {TunnelError} `INVALID_RESPONSE`: an encoding that was not asked for
 */
export function decodeStream(stream: Readable, encoding: string | undefined): Readable {
  return codingsOf(encoding).reduce<Readable>(
    // What fails shows on the last stream, which is the one that is read.
    (source, { stream: decoder }) => pipeline(source, decoder(), () => {}),
    stream,
  );
}

/**
 * Undoes the content encoding of a whole body.
 *
 * @param limitBytes of the decoded bytes
 * @throws {TunnelError} as `decodeStream`, or too many bytes; an `Error` of zlib for bytes that are not in the encoding
 */
export async function decodeBytes(bytes: Buffer, encoding: string | undefined, limitBytes: number): Promise<Buffer> {
  let decoded = bytes;
  for (const { whole } of codingsOf(encoding)) {
    decoded = await whole(decoded, { maxOutputLength: limitBytes }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ERR_BUFFER_TOO_LARGE" ? replyTooLarge(limitBytes) : error;
    });
  }
  return decoded;
}

/** More than two codings are never needed; each coding that is undone takes memory of its own. */
const mostCodings = 4;

/** In the order they are undone: the last one applied first. */
function codingsOf(encoding: string | undefined): Coding[] {
  const names = (encoding ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (names.length > mostCodings) {
    throw new TunnelError(
      "INVALID_RESPONSE",
      `Tunnel reply is encoded ${names.length} times.\n  at most ${mostCodings} codings are undone`,
    );
  }
  return names.reverse().map((name) => {
    const coding = codings.get(name);
    if (coding !== undefined) return coding;
    throw new TunnelError("INVALID_RESPONSE", `Tunnel reply has the unknown encoding "${name}".`);
  });
}
