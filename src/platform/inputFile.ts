/** What is known about a file. */
export interface InputFileMeta {
  name: string;
  type?: string | undefined;
  /** In bytes; not checked against what arrives. */
  size?: number | undefined;
  /** In ms since 1970. */
  lastModified?: number | undefined;
  extra?: Record<string, unknown> | undefined;
}

/**
 * A file as the task that was called receives it. Its bytes can be taken once, by one of the methods.
 *
 * @throws {Error} (from every method, as a rejection where it returns a promise) the bytes were taken before
 */
export interface InputFile<TStream = unknown> extends InputFileMeta {
  resolve(): Promise<{ stream: TStream }>;
  stream(): TStream;
  /** @param dir made if missing. Default: the directory of the system for temporary files */
  toTempFile(dir?: string): Promise<{ path: string; bytesWritten: number }>;
  /** A new stream fed by the file's. */
  toPassThrough(): TStream;
}

/** Stands for a file in an input, until the server puts an `InputFile` in its place. */
export interface RunnerFileSentinel {
  $runnerFile: "File";
  /** Unique within one call. */
  id: string;
  meta: InputFileMeta;
}

/** Bytes that come in pieces: a Node stream, a web stream, an async generator. */
export type FileStream = AsyncIterable<Uint8Array | string>;

/** Where a client in Node takes a file's bytes from; `buffer` wins. */
export interface NodeFileSource {
  stream?: FileStream | undefined;
  buffer?: Uint8Array | undefined;
}

/** Where any client takes a file's bytes from. */
export interface WebFileSource {
  blob: Blob;
}

/** A sentinel with its sidecars, which are never sent. `$ejson` is the spelling of older releases. */
export interface FileSentinel {
  readonly $runnerFile?: "File";
  readonly $ejson?: "File";
  readonly id: string;
  /** Peers may leave it out. */
  readonly meta?: InputFileMeta | undefined;
  readonly _node?: NodeFileSource | undefined;
  readonly _web?: WebFileSource | undefined;
}

/** Whether a value stands for a file, in either spelling. */
export function isFileSentinel(value: unknown): value is FileSentinel {
  if (typeof value !== "object" || value === null) return false;
  const { $runnerFile, $ejson, id } = value as Record<string, unknown>;
  return ($runnerFile === "File" || $ejson === "File") && typeof id === "string";
}
