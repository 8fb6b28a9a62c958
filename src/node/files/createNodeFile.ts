import { Readable } from "node:stream";
import {
  readableHere,
  type InputFile,
  type InputFileMeta,
  type NodeFileSource,
  type RunnerFileSentinel,
} from "../../platform/inputFile";
import { NodeInputFile } from "./nodeInputFile";

/**
 * Puts a file into an input. A Smart or Mixed client sends its bytes beside the rest; a task of this process reads it as
 * the `InputFile` it is, once.
 *
 * @param source `buffer` wins over `stream`; a stream is read once, when the call is made
 * @param id unique within one call: give every file its own when there are several. Default "F1"
 * @see readmes/tunnels/files-and-streams.md
 */
export function createNodeFile<S extends NodeFileSource>(
  meta: InputFileMeta,
  source: S,
  id = "F1",
): RunnerFileSentinel & InputFile<Readable> & { _node: S } {
  const file = { $runnerFile: "File" as const, id, meta, _node: source };
  return readableHere(file, new NodeInputFile(meta, () => open(source)));
}

function open({ buffer, stream }: NodeFileSource): Readable {
  if (buffer !== undefined) return Readable.from([Buffer.from(buffer)], { objectMode: false });
  if (stream === undefined) throw new Error("InputFile stream is not available");
  return stream instanceof Readable ? stream : Readable.from(stream, { objectMode: false });
}
