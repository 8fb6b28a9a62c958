/** Entry `./platform/createFile`: files for inputs, in code that runs anywhere. */
import type { InputFileMeta, NodeFileSource, RunnerFileSentinel, WebFileSource } from "./inputFile";

export type { InputFileMeta, RunnerFileSentinel } from "./inputFile";

/**
 * Puts a file into an input. Clients send its bytes beside the rest of the input.
 *
 * A `Blob` or bytes travel with every client that sends files; a stream, or `{ stream }` and `{ buffer }`, only with
 * the clients of `@bluelibs/runner/node`.
 *
 * @param id unique within one call: give every file its own when there are several. Default "F1"
 * @see readmes/tunnels/files-and-streams.md
 */
export function createFile(
  meta: InputFileMeta,
  source: Blob | Uint8Array | ArrayBuffer,
  id?: string,
): RunnerFileSentinel & { _web: WebFileSource };
export function createFile<S extends NodeFileSource>(
  meta: InputFileMeta,
  source: S,
  id?: string,
): RunnerFileSentinel & { _node: S };
export function createFile(
  meta: InputFileMeta,
  source: Blob | Uint8Array | ArrayBuffer | NodeFileSource,
  id = "F1",
): RunnerFileSentinel & { _web?: WebFileSource; _node?: NodeFileSource } {
  const sentinel = { $runnerFile: "File" as const, id, meta };
  if (isBlob(source)) return { ...sentinel, _web: { blob: source } };
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    // The type of a blob is the one its part of the request gets.
    const blob = new Blob([source as Uint8Array<ArrayBuffer>], meta.type === undefined ? {} : { type: meta.type });
    return { ...sentinel, _web: { blob } };
  }
  return { ...sentinel, _node: source };
}

/** Blobs of other realms and of polyfills too. */
const isBlob = (value: object): value is Blob => "arrayBuffer" in value && typeof value.arrayBuffer === "function";
