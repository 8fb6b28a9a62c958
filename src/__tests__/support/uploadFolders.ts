import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";

/** Of this process alone: the folder of temporary files belongs to everything that runs. */
export const uploadFolders = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith(`runner-upload-${process.pid}-`));
