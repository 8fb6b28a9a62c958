import { randomInt } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { InputFile, InputFileMeta } from "../../platform/inputFile";
import type { WireFile } from "../../tunnels/protocol/wire";
import { toPassThrough } from "./nodeFile";
import { saveStream } from "./saveStream";

/**
 * A file that came with a call. Its stream can be taken once, by one of the methods.
 *
 * @see readmes/tunnels/files-and-streams.md
 */
export class NodeInputFile implements InputFile<Readable> {
  name: string;
  type: string | undefined;
  size: number | undefined;
  lastModified: number | undefined;
  extra: Record<string, unknown> | undefined;
  readonly #source: Readable | (() => Readable) | undefined;
  #isTaken = false;

  /** @param source the stream, or what opens it when it is taken */
  constructor(meta: InputFileMeta, source: Readable | (() => Readable) | undefined) {
    this.name = meta.name;
    this.type = meta.type;
    this.size = meta.size;
    this.lastModified = meta.lastModified;
    this.extra = meta.extra;
    this.#source = source;
  }

  /** @throws {Error} the stream was taken before, or there is none */
  stream(): Readable {
    const source = this.#source;
    if (source === undefined) throw new Error("InputFile stream is not available");
    if (this.#isTaken) throw new Error("InputFile stream already consumed");
    this.#isTaken = true;
    return typeof source === "function" ? source() : source;
  }

  // An async function: what `stream` throws is a rejection here.
  async resolve(): Promise<{ stream: Readable }> {
    return { stream: this.stream() };
  }

  /** A new stream, fed by the file's. */
  toPassThrough(): Readable {
    return toPassThrough(this.stream());
  }

  /**
   * Writes the file to disk, under a name made from its own. Removing it is up to you.
   *
   * @param dir made if missing. Default: the directory of the system for temporary files
   */
  async toTempFile(dir: string = tmpdir()): Promise<{ path: string; bytesWritten: number }> {
    const path = join(dir, tempName(this.name));
    return { path, ...(await saveStream(this.stream(), path, 0o600)) };
  }
}

/** Makes the handle of a file whose bytes are already here, or come from a stream of another kind. */
export function openNodeFile(meta: InputFileMeta, source: WireFile["source"]): NodeInputFile {
  return new NodeInputFile(meta, readableOf(source));
}

function readableOf(source: WireFile["source"]): Readable {
  if ("bytes" in source) return Readable.from([Buffer.from(source.bytes)], { objectMode: false });
  const stream = "blob" in source ? source.blob.stream() : source.stream;
  return stream instanceof Readable
    ? stream
    : Readable.from(stream as AsyncIterable<Uint8Array>, { objectMode: false });
}

function tempName(name: string): string {
  const kept = name.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 64) || "upload";
  const random = Array.from({ length: 8 }, () => randomInt(36).toString(36)).join("");
  return `${kept}.${Date.now()}.${random}`;
}
