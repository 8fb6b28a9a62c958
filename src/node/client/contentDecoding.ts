import { pipeline, type Readable } from "node:stream";
import { TunnelError } from "../../errors/tunnelError";
import { replyTooLarge } from "../../tunnels/protocol/replyLimit";
import { findCoding, type ContentCoding } from "../contentCodings";

/**
 * Undoes the content encoding of a stream. It is destroyed when reading stops before the end.
 *
 * @throws {TunnelError} `INVALID_RESPONSE`: an encoding that was not asked for
 */
export function decodeStream(stream: Readable, encoding: string | undefined): Readable {
  return codingsOf(encoding).reduce<Readable>(
    // What fails shows on the last stream, which is the one that is read.
    (source, coding) => pipeline(source, coding.createDecoder(), () => {}),
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
  for (const { decode } of codingsOf(encoding)) {
    decoded = await decode(decoded, { maxOutputLength: limitBytes }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ERR_BUFFER_TOO_LARGE" ? replyTooLarge(limitBytes) : error;
    });
  }
  return decoded;
}

/** More than two codings are never needed; each coding that is undone takes memory of its own. */
const mostCodings = 4;

/** In the order they are undone: the last one applied first. */
function codingsOf(encoding: string | undefined): ContentCoding[] {
  const names = (encoding ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  if (names.length > mostCodings) {
    throw new TunnelError(
      "INVALID_RESPONSE",
      `Tunnel reply is encoded ${names.length} times.\n  at most ${mostCodings} codings are undone`,
    );
  }
  return names.reverse().map((name) => {
    const coding = findCoding(name);
    if (coding !== undefined) return coding;
    throw new TunnelError("INVALID_RESPONSE", `Tunnel reply has the unknown encoding "${name}".`);
  });
}
