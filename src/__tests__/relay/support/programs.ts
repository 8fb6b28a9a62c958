import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { findParty, type PartyName } from "./parties";

/** What a program that ended has left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly output: Buffer;
  readonly errors: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Runs a program to its end. */
export async function runParty(name: PartyName, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { input, cwd, env } = options;
  const child = spawn(findParty(name), [...args], { cwd, env: { ...process.env, ...env }, timeout: 25_000 });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const closed = once(child, "close") as Promise<[number | null]>;
  const [output, errors, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), closed]);
  return { code, output, errors };
}

/** Runs curl without its progress meter, for what it prints. */
export async function curl(...args: readonly string[]): Promise<string> {
  const { code, output, errors } = await runParty("curl", ["--silent", "--show-error", ...args]);
  if (code !== 0) throw new Error(`curl ended with ${code}: ${errors}`);
  return output.toString();
}

/** A folder that is gone after its test. */
export async function tempFolder() {
  const path = await mkdtemp(join(tmpdir(), "runner-relay-"));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10 }),
  };
}

/** A server of its own, until it is disposed of. */
export interface ServerProgram extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Starts a server, and waits until it accepts connections. */
export async function startServerProgram(
  command: string,
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProgram> {
  const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  child.stdout.on("data", (piece: Buffer) => (said += String(piece)));
  child.stderr.on("data", (piece: Buffer) => (said += String(piece)));
  const ended = once(child, "close");
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} did not start: ${said}`);
    await delay(20);
  }
  return {
    child,
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
