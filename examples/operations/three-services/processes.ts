/** Starts the services as processes, and stops them as a supervisor does. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Message } from "./service";

export interface Service {
  readonly url: string;
  readonly port: number;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

/** Starts a service, and resolves once it serves. */
export async function start(
  name: string,
  env: Record<string, string>,
  onMessage: (message: Message) => void,
): Promise<Service> {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = fork(file, { env: { ...process.env, ...env } });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const { url, port } = await ready(name, child, exited, onMessage);
  return {
    url,
    port,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
  };
}

function ready(
  name: string,
  child: ChildProcess,
  exited: Promise<[number | null]>,
  onMessage: (message: Message) => void,
): Promise<{ url: string; port: number }> {
  return new Promise((resolve, reject) => {
    child.on("message", (message: Message) => {
      if (message.kind === "ready") resolve(message);
      else onMessage(message);
    });
    void exited.then(([code]) => reject(new Error(`${name} ended with ${code} before it served.`)));
  });
}
