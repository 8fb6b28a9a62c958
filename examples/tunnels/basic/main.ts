/** Starts the server process, then the client process, and leaves neither behind. */
import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const limitMs = 60_000;
const token = randomUUID();

const start = (file: string, env: Record<string, string>): ChildProcess =>
  fork(fileURLToPath(new URL(file, import.meta.url)), { env: { ...process.env, RUNNER_TOKEN: token, ...env } });

console.log("\nOne process calls tasks of another as if they were local.\n");

const server = start("./server.ts", {});
let client: ChildProcess | undefined;
const tooLate = setTimeout(() => fail(`nothing happened for ${limitMs / 1000} s`), limitMs);
try {
  const { baseUrl } = await readyMessage(server);
  console.log(`  server process ${server.pid}: ${baseUrl}`);
  client = start("./client.ts", { RUNNER_URL: baseUrl });
  console.log(`  client process ${client.pid}\n`);

  const [code, signal] = (await once(client, "exit")) as [number | null, string | null];
  if (code !== 0) fail(`the client process ended with ${signal ?? `code ${code}`}`);
  else console.log("All of it happened over HTTP, between two processes.\n");
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
} finally {
  clearTimeout(tooLate);
  client?.kill();
  server.kill();
  if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
}

/** The server says where it listens, or ends before it could. */
async function readyMessage(child: ChildProcess): Promise<{ baseUrl: string }> {
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`the server process ended with code ${code} before it was ready`);
  });
  failed.catch(() => {}); // also ends after it was ready, as it should
  const [message] = (await Promise.race([once(child, "message"), failed])) as [{ baseUrl: string }];
  return message;
}

function fail(reason: string): void {
  console.error(`\nThis did not work: ${reason}.`);
  process.exitCode = 1;
  client?.kill();
  server.kill();
}
