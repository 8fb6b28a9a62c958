import { Readable } from "node:stream";
import type { TransportLayer } from "../../tunnels/client/carrier";
import { defaultFileName, filePart, manifestField } from "../../tunnels/files/sentForm";
import { formContentType, octetContentType } from "../../tunnels/protocol/byteTypes";
import type { FormBody, WireFile } from "../../tunnels/protocol/wire";
import { toReadable } from "./byteSources";

/** A content type with a boundary of its own. */
export function newFormContentType(): string {
  const random = Math.random().toString(36).slice(2);
  return `${formContentType}; boundary=runner-${Date.now().toString(36)}-${random}`;
}

/** States the boundary of a form before hooks run: they have the last word on headers, and may choose another. */
export const statedBoundary: TransportLayer = (next) => (request) =>
  next(
    request.body.kind === "form"
      ? { ...request, headers: { "content-type": newFormContentType(), ...request.headers } }
      : request,
  );

/** The boundary that a content type states. */
export function boundaryOf(contentType: unknown): string | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(String(contentType)) ?? [];
  return quoted ?? bare;
}

/** A form as bytes. */
export interface MultipartStream {
  readonly stream: Readable;
  /** Absent when a file is a stream whose size is not stated: its length is unknown then. */
  readonly totalBytes: number | undefined;
  /** Leaves the files, of which nothing was read, to another stream. */
  readonly abandon: () => void;
}

/**
 * Writes a form as multipart/form-data: the manifest first, then the files in turn, at the pace of the reader.
 *
 * A file that fails, even one that is not due yet, fails the stream; when the stream ends, however it ends, no file is
 * left open.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function multipartStream({ manifest, files }: FormBody, boundary: string): MultipartStream {
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="${manifestField}"\r\n\r\n${manifest}\r\n`;
  const end = `--${boundary}--\r\n`;
  const parts = files.map((file) => ({ head: headOf(file, boundary), ...contentOf(file) }));

  async function* write(): AsyncGenerator<string | Uint8Array> {
    yield start;
    for (const { head, read } of parts) {
      yield head;
      yield* read();
      yield "\r\n";
    }
    yield end;
  }

  const sources = parts.flatMap(({ source }) => source ?? []);
  const pieces = write();
  // Not `Readable.from`: to be destroyed it waits for the piece under way, and that may never come.
  const stream = new Readable({
    read() {
      pieces.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      for (const source of sources) source.destroy();
      done(error);
    },
  });
  const fail = (error: Error): void => void stream.destroy(error);
  for (const source of sources) {
    if (source.errored) stream.destroy(source.errored);
    source.once("error", fail);
  }
  const total = parts.reduce<number | undefined>(
    (sum, { head, bytes }) =>
      sum === undefined || bytes === undefined ? undefined : sum + Buffer.byteLength(head) + bytes + 2,
    Buffer.byteLength(start) + end.length,
  );
  const abandon = (): void => sources.forEach((source) => void source.off("error", fail));
  return { stream, totalBytes: total, abandon };
}

interface Content {
  readonly read: () => AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>;
  /** Its length, if known. */
  readonly bytes: number | undefined;
  /** What has to be closed in the end. */
  readonly source?: Readable;
}

function contentOf({ source, meta }: WireFile): Content {
  if ("bytes" in source) return { bytes: source.bytes.byteLength, read: () => [source.bytes] };
  if ("blob" in source) return { bytes: source.blob.size, read: () => toReadable(source.blob.stream()) };
  const stream = toReadable(source.stream);
  return { bytes: meta.size, read: () => stream, source: stream };
}

/** A blob knows its type; what is said about other sources is all there is. */
function headOf({ id, meta, source }: WireFile, boundary: string): string {
  const type = "blob" in source ? source.blob.type : meta.type;
  return [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${quoted(filePart(id))}"; filename="${quoted(meta.name || defaultFileName)}"`,
    `Content-Type: ${oneLine(type || octetContentType)}`,
    "\r\n",
  ].join("\r\n");
}

const quoted = (text: string): string => oneLine(text).replace(/["\\]/g, "\\$&");

/** Nothing in a name may end its header line. */
const oneLine = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- exactly these are meant
  text.replace(/[\x00-\x1f\x7f]/g, percentEncoded);

const percentEncoded = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
