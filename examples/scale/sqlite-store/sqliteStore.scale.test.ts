import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeIdempotencyStore } from "../../../src/__tests__/support/describeIdempotencyStore";
import { sqliteIdempotencyStore } from "./sqliteStore";

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), "runner-sqlite-store-"));
  return {
    path: join(folder, "replies.db"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

describeIdempotencyStore("the SQLite store", {
  async open() {
    const folder = await openFolder();
    const [first, second] = [sqliteIdempotencyStore(folder), sqliteIdempotencyStore(folder)];
    return {
      first,
      second,
      async [Symbol.asyncDispose]() {
        first[Symbol.dispose]();
        second[Symbol.dispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
});
