/** The side that sends: from memory, from blobs and from streams, with progress, and past the limits. */
import { Readable } from "node:stream";
import { createHttpClient, TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { createFile } from "@bluelibs/runner/platform/createFile";
import { compare, countLines, saveAvatar, startServer } from "./server";

await using server = await startServer();
const { baseUrl } = server;
const auth = { token: "dev-secret" };

// In browsers and everywhere else: blobs and bytes.
await using anywhere = createHttpClient({ baseUrl, auth });
const avatar = createFile({ name: "ada.png", type: "image/png" }, new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
console.log("saved:", await anywhere.task(saveAvatar.id, { avatar, takenAt: new Date(0) }));

// In Node: buffers and streams, too. Several files need an id each.
await using client = createHttpMixedClient({ baseUrl, auth });
const before = createNodeFile({ name: "before.txt" }, { buffer: Buffer.from("tea") }, "before");
const after = createNodeFile({ name: "after.txt" }, { stream: Readable.from(["t", "ea"]) }, "after");
console.log("the same:", await client.task(compare.id, { before, after }));

function* logLines(): Generator<Buffer> {
  for (let chunk = 0; chunk < 40; chunk += 1) yield Buffer.alloc(100_000, "nothing to see here\n");
}

let sentBytes = 0;
const log = createNodeFile({ name: "app.log", type: "text/plain" }, { stream: Readable.from(logLines()) });
const lines = await client.task(countLines.id, { log }, { onProgress: (progress) => ({ sentBytes } = progress) });
console.log(`lines: ${String(lines)}, of which ${sentBytes > 4_000_000 ? "all" : "not all"} were sent`);

// Limits are the server's, and say which of them it was.
const tooLarge = createNodeFile({ name: "video.mp4" }, { buffer: Buffer.alloc(5_000_001) });
await client.task(countLines.id, { log: tooLarge }).catch((error: unknown) => {
  if (!(error instanceof TunnelError)) throw error;
  console.log(`refused: ${error.code}: ${error.message.split("\n")[0]}`);
});
