/** What is known about a file. */
export interface InputFileMeta {
  /** As its sender calls it: not a path to trust. */
  name: string;
  /** The media type that its sender states. */
  type?: string | undefined;
  /** In bytes; not checked against what arrives. */
  size?: number | undefined;
  /** In ms since 1970. */
  lastModified?: number | undefined;
  /** What else its sender states. */
  extra?: Record<string, unknown> | undefined;
}

/**
 * A file as the task that was called receives it. Its bytes can be taken once, by one of the methods.
 *
 * @throws {Error} (from every method, as a rejection where it returns a promise) the bytes were taken before
 */
export interface InputFile<TStream = unknown> extends InputFileMeta {
  /** Takes the bytes as a stream. */
  resolve(): Promise<{ stream: TStream }>;
  /** As `resolve`, at once. */
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

/** How the bytes of a file are reached. */
export type FileReading<TStream> = Pick<InputFile<TStream>, "stream" | "toPassThrough" | "toTempFile">;

/**
 * Makes a file for an input one that can be read here as well, as a task in this process does.
 *
 * What is added is not enumerable: a sentinel is sent as it is, and prints as it is.
 */
export function readableHere<F extends RunnerFileSentinel, TStream>(
  sentinel: F,
  reading: FileReading<TStream>,
): F & InputFile<TStream> {
  const { name, type, size, lastModified, extra } = sentinel.meta;
  const added = {
    name,
    type,
    size,
    lastModified,
    extra,
    stream: () => reading.stream(),
    resolve: async () => ({ stream: reading.stream() }),
    toPassThrough: () => reading.toPassThrough(),
    toTempFile: async (dir?: string) => reading.toTempFile(dir),
  };
  for (const [key, value] of Object.entries(added)) Object.defineProperty(sentinel, key, { value, writable: true });
  return sentinel as F & InputFile<TStream>;
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
