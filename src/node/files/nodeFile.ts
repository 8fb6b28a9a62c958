import { PassThrough, pipeline, type Readable } from "node:stream";
import type { InputFile } from "../../platform/inputFile";
import { saveStream } from "./saveStream";

/** Reads a file into memory. */
export async function readInputFileToBuffer(file: InputFile<Readable>): Promise<Buffer> {
  const { stream } = await file.resolve();
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<unknown>) {
    if (chunk !== null && chunk !== undefined) chunks.push(toBuffer(chunk));
  }
  return Buffer.concat(chunks);
}

/** Writes a file to a path; missing directories are made, an existing file is replaced. One that breaks off is removed. */
export async function writeInputFileToPath(
  file: InputFile<Readable>,
  targetPath: string,
): Promise<{ bytesWritten: number }> {
  const { stream } = await file.resolve();
  return saveStream(stream, targetPath);
}

/** A new stream fed by another; what fails there fails here. */
export const toPassThrough = (stream: Readable): Readable => pipeline(stream, new PassThrough(), () => {});

const toBuffer = (chunk: unknown): Buffer =>
  chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk));
