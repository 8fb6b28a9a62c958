/** A command that uploads a file: `upload.ts <file> <url of the exposure>`. Ctrl-C gives up, and the server notices. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";

const [path, baseUrl] = process.argv.slice(2);
if (path === undefined || baseUrl === undefined) {
  console.error("Usage: upload.ts <file> <url>");
  process.exit(2);
}

const interruption = new AbortController();
process.once("SIGINT", () => interruption.abort());

await using client = createHttpMixedClient({ baseUrl, auth: { token: process.env["RUNNER_TOKEN"] ?? "dev-secret" } });
try {
  const { size } = await stat(path);
  const log = createNodeFile({ name: basename(path), size }, { stream: createReadStream(path) });
  const lines = await client.task<unknown, number>(
    "files.tasks.countLines",
    { log },
    {
      signal: interruption.signal,
      onProgress: ({ sentBytes, totalBytes = sentBytes }) =>
        void process.stderr.write(`\r${Math.min(100, Math.floor((100 * sentBytes) / totalBytes))} %`),
    },
  );
  console.log(`\n${lines} lines`);
} catch (error) {
  if (interruption.signal.aborted) {
    console.error("\nGiven up.");
    process.exitCode = 130; // what shells expect of a command that ended by Ctrl-C
  } else if (error instanceof TunnelError) {
    console.error(`\nRefused: ${error.message}`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
