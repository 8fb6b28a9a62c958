import { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes that wait in the temporary file. */
export interface Spilled {
  readonly at: number;
  readonly length: number;
}

/**
 * Holds the bytes of one request that arrived before anybody wanted them: some in memory, what is more in a temporary
 * file of its own.
 */
export class Spool {
  #freeBytes: number;
  #file: Promise<FileHandle> | undefined;
  #endOfFile = 0;
  #isClosed = false;

  constructor(memoryBytes: number) {
    this.#freeBytes = memoryBytes;
  }

  /** Whether so many bytes may be kept in memory; they are then accounted for until `release`. */
  reserve(bytes: number): boolean {
    if (bytes > this.#freeBytes) return false;
    this.#freeBytes -= bytes;
    return true;
  }

  release(bytes: number): void {
    this.#freeBytes += bytes;
  }

  /** One write at a time. */
  async spill(chunk: Buffer): Promise<Spilled> {
    const file = await (this.#file ??= openTempFile());
    const at = this.#endOfFile;
    await file.write(chunk, 0, chunk.byteLength, at);
    this.#endOfFile += chunk.byteLength;
    return { at, length: chunk.byteLength };
  }

  async read({ at, length }: Spilled): Promise<Buffer> {
    const file = await (this.#file as Promise<FileHandle>);
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(chunk, 0, length, at);
    return chunk.subarray(0, bytesRead);
  }

  /** Gives the file back to the system. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
  }
}

/** Nameless from the start where the system allows it, so that nothing is left behind however the process ends. */
async function openTempFile(): Promise<FileHandle> {
  const dir = await mkdtemp(join(tmpdir(), "runner-upload-"));
  const file = await open(join(dir, "parts"), "wx+", 0o600);
  await rm(dir, { recursive: true, force: true });
  return file;
}
