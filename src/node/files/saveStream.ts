import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Writes a stream to a path, making directories as needed. When it breaks off nothing stays: half a file would be taken
 * for a whole one, and uploads that are aborted would fill the disk.
 *
 * @param mode of a file that is made. Default 0o666, less what the process masks
 */
export async function saveStream(stream: Readable, path: string, mode?: number): Promise<{ bytesWritten: number }> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    stream.destroy();
    throw error;
  }
  let wasOpened = false;
  const target = createWriteStream(path, { mode }).once("open", () => (wasOpened = true));
  try {
    await pipeline(stream, target);
    return { bytesWritten: target.bytesWritten };
  } catch (error) {
    // It may still be about to be made.
    if (!target.closed) await new Promise<void>((resolve) => target.once("close", () => resolve()));
    if (wasOpened) await rm(path, { force: true });
    throw error;
  }
}
