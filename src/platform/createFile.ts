/** Entry `./platform/createFile`: files for inputs, in code that runs anywhere. */
import {
  readableHere,
  type FileReading,
  type InputFile,
  type InputFileMeta,
  type NodeFileSource,
  type RunnerFileSentinel,
  type WebFileSource,
} from "./inputFile";

export type { InputFile, InputFileMeta, RunnerFileSentinel } from "./inputFile";

/**
 * Puts a file into an input. Clients send its bytes beside the rest of the input.
 *
 * A `Blob` or bytes travel with every client that sends files; a stream, or `{ stream }` and `{ buffer }`, only with
 * the clients of `@bluelibs/runner/node`. A task of this process reads it as the `InputFile` it is, once.
 *
 * @param id unique within one call: give every file its own when there are several. Default "F1"
 * @see readmes/tunnels/files-and-streams.md
 */
export function createFile(
  meta: InputFileMeta,
  source: Blob | Uint8Array | ArrayBuffer,
  id?: string,
): RunnerFileSentinel & InputFile<ReadableStream<Uint8Array>> & { _web: WebFileSource };
export function createFile<S extends NodeFileSource>(
  meta: InputFileMeta,
  source: S,
  id?: string,
): RunnerFileSentinel & InputFile<AsyncIterable<Uint8Array | string>> & { _node: S };
export function createFile(
  meta: InputFileMeta,
  source: Blob | Uint8Array | ArrayBuffer | NodeFileSource,
  id = "F1",
): RunnerFileSentinel & InputFile & { _web?: WebFileSource; _node?: NodeFileSource } {
  const sentinel = { $runnerFile: "File" as const, id, meta };
  if (isBlob(source)) return readBlob({ ...sentinel, _web: { blob: source } });
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    // The type of a blob is the one its part of the request gets.
    const blob = new Blob([source as Uint8Array<ArrayBuffer>], meta.type === undefined ? {} : { type: meta.type });
    return readBlob({ ...sentinel, _web: { blob } });
  }
  const open = (): AsyncIterable<Uint8Array | string> => {
    if (source.buffer !== undefined) return new Blob([source.buffer as Uint8Array<ArrayBuffer>]).stream();
    if (source.stream !== undefined) return source.stream;
    throw new Error("InputFile stream is not available");
  };
  return readableHere({ ...sentinel, _node: source }, readOnce(open));
}

const readBlob = <F extends RunnerFileSentinel & { _web: WebFileSource }>(
  file: F,
): F & InputFile<ReadableStream<Uint8Array>> =>
  readableHere(
    file,
    readOnce(() => file._web.blob.stream()),
  );

function readOnce<TStream>(open: () => TStream): FileReading<TStream> {
  let isTaken = false;
  const stream = (): TStream => {
    if (isTaken) throw new Error("InputFile stream already consumed");
    isTaken = true;
    return open();
  };
  return {
    stream,
    toPassThrough: stream,
    toTempFile: async () => {
      throw new Error("toTempFile() needs Node: make the file with createNodeFile of @bluelibs/runner/node.");
    },
  };
}

/** Blobs of other realms and of polyfills too. */
const isBlob = (value: object): value is Blob => "arrayBuffer" in value && typeof value.arrayBuffer === "function";
