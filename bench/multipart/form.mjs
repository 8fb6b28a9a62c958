import { Buffer } from "node:buffer";
import { requestBytes } from "../lib/httpLoad.mjs";

const boundary = "----bench-7f3a";

function part(disposition, content) {
  const head = `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  return typeof content === "string"
    ? [Buffer.from(`${head}\r\n${content}\r\n`)]
    : [Buffer.from(`${head}Content-Type: application/octet-stream\r\n\r\n`), content, Buffer.from("\r\n")];
}

/** An upload as the runner's clients write it: a manifest, then the files. The other peers take the manifest for a field. */
export function formRequest(files, bytes) {
  const ids = Array.from({ length: files }, (_, i) => `F${i}`);
  const sentinels = ids.map((id) => ({ $runnerFile: "File", id, meta: { name: `${id}.bin` } }));
  // No byte of the content can start a boundary.
  const content = Buffer.alloc(bytes, "0123456789abcdef");
  const body = Buffer.concat([
    ...part('name="__manifest"', JSON.stringify({ input: { files: sentinels } })),
    ...ids.flatMap((id) => part(`name="file:${id}"; filename="${id}.bin"`, content)),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  return requestBytes({
    path: "/__runner/task/app.tasks.upload",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body,
  });
}

/** Reads a stream and forgets it. */
export async function countBytes(stream) {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

/** What the largest form of the benchmark needs. */
export const limits = { fileSize: 200 * 1024 * 1024, files: 2000 };
