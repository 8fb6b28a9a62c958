import type { InputFile, InputFileMeta } from "../../../platform/inputFile";
import type { WireFile } from "../../protocol/wire";

/**
 * A file that came with a call. Its stream can be taken once, by one of the methods.
 *
 * @see readmes/FETCH_EDGE.md
 */
export class FetchFile implements InputFile<ReadableStream<Uint8Array>> {
  name: string;
  type: string | undefined;
  size: number | undefined;
  lastModified: number | undefined;
  extra: Record<string, unknown> | undefined;
  readonly #open: () => ReadableStream<Uint8Array>;
  #isTaken = false;

  constructor(meta: InputFileMeta, open: () => ReadableStream<Uint8Array>) {
    this.name = meta.name;
    this.type = meta.type;
    this.size = meta.size;
    this.lastModified = meta.lastModified;
    this.extra = meta.extra;
    this.#open = open;
  }

  /** @throws {Error} the stream was taken before */
  stream(): ReadableStream<Uint8Array> {
    if (this.#isTaken) throw new Error("InputFile stream already consumed");
    this.#isTaken = true;
    return this.#open();
  }

  // An async function: what `stream` throws is a rejection here.
  async resolve(): Promise<{ stream: ReadableStream<Uint8Array> }> {
    return { stream: this.stream() };
  }

  /** The stream of the file: on the web nothing but its one reader takes from it. */
  toPassThrough(): ReadableStream<Uint8Array> {
    return this.stream();
  }

  async toTempFile(): Promise<never> {
    throw new Error(
      "toTempFile() needs a file system, which a fetch edge does not count on: serve by nodeExposure, or read stream().",
    );
  }
}

/** Makes the handle of a file whose bytes are already here. */
export function openFetchFile(meta: InputFileMeta, source: WireFile["source"]): FetchFile {
  return new FetchFile(meta, () => {
    if ("blob" in source) return source.blob.stream();
    if ("bytes" in source) return new Blob([source.bytes as Uint8Array<ArrayBuffer>]).stream();
    throw new Error("InputFile stream is not available");
  });
}
