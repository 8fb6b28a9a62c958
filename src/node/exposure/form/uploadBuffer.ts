import { close, mkdtempSync, openSync, read, rm, rmSync, write } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ByteBudget } from "../../../lib/byteBudget";

/** Bytes that wait in the temporary file. */
export interface Spilled {
  readonly at: number;
  readonly length: number;
}

/**
 * Holds the bytes of one request that arrived before they were read: some in memory, what is more in a temporary
 * file of its own.
 */
export class UploadBuffer {
  #freeBytes: number;
  #file: TempFile | undefined;
  #fileBytes = 0;
  /** Reads and writes under way; a descriptor that is closed under them may already be another file's. */
  #busyCount = 0;
  #isClosed = false;

  readonly #budget: ByteBudget;

  /** @param budget of the whole server: where that is spent, the file takes what memory of the request there is left */
  constructor(memoryBytes: number, budget: ByteBudget) {
    this.#freeBytes = memoryBytes;
    this.#budget = budget;
  }

  /** Whether a chunk may be kept in memory; it is then accounted for until `release`. */
  reserve(chunk: Buffer): boolean {
    const bytes = costOf(chunk);
    if (bytes > this.#freeBytes || !this.#budget.take(bytes)) return false;
    this.#freeBytes -= bytes;
    return true;
  }

  release(chunk: Buffer): void {
    const bytes = costOf(chunk);
    this.#freeBytes += bytes;
    this.#budget.release(bytes);
  }

  /** Writes to the file; one write at a time. */
  spill(chunk: Buffer): Promise<Spilled> {
    return this.#use(async (file) => {
      const spilled = { at: this.#fileBytes, length: chunk.byteLength };
      let written = 0;
      while (written < spilled.length) {
        const { bytesWritten } = await writeFile(file, chunk, written, spilled.length - written, spilled.at + written);
        written += bytesWritten;
      }
      this.#fileBytes += spilled.length;
      return spilled;
    });
  }

  read({ at, length }: Spilled): Promise<Buffer> {
    return this.#use(async (file) => {
      const { bytesRead, buffer } = await readFile(file, Buffer.allocUnsafe(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    });
  }

  /** Gives the file back to the system, once nothing uses it. */
  close(): void {
    this.#isClosed = true;
    this.#closeWhenIdle();
  }

  async #use<T>(work: (file: number) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error("The request is over.");
    this.#file ??= openTempFile();
    this.#busyCount += 1;
    try {
      return await work(this.#file.descriptor);
    } finally {
      this.#busyCount -= 1;
      this.#closeWhenIdle();
    }
  }

  #closeWhenIdle(): void {
    if (!this.#isClosed || this.#busyCount > 0 || this.#file === undefined) return;
    const { descriptor, dir } = this.#file;
    this.#file = undefined;
    // A failure cannot be reported any more.
    close(descriptor, () => dir && rm(dir, removal, () => {}));
  }
}

/** A chunk takes memory beside its bytes, which is most of it where chunks are small. */
const costOf = (chunk: Buffer): number => chunk.byteLength + 128;

const writeFile = /* @__PURE__ */ promisify(write);
const readFile = /* @__PURE__ */ promisify(read);

interface TempFile {
  readonly descriptor: number;
  /** Where the file still has a name. */
  readonly dir: string | undefined;
}

const removal = { recursive: true, force: true };

/**
 * Opens a file that only this process can reach.
 *
 * Nameless at once where the system allows it, and without giving way to anything else in between: nothing is left
 * behind, however and whenever the process ends.
 */
function openTempFile(): TempFile {
  const dir = mkdtempSync(join(tmpdir(), `runner-upload-${process.pid}-`));
  const descriptor = openSync(join(dir, "parts"), "wx+", 0o600);
  try {
    rmSync(dir, removal);
    return { descriptor, dir: undefined };
  } catch {
    return { descriptor, dir };
  }
}
