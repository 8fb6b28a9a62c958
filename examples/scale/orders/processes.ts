/** Starts the services as processes, and ends them, with or without a warning. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Ready } from "./service";

export interface Service extends Ready {
  /** SIGKILL: it can do nothing before its end. Resolves once it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

/** Starts a service, and resolves once it serves. */
export async function start(name: string, env: Record<string, string>): Promise<Service> {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = fork(file, { env: { ...process.env, ...env } });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const failed = exited.then(([code]) => Promise.reject(new Error(`${name} ended with ${code} before it served.`)));
  failed.catch(() => {});
  const [{ url }] = (await Promise.race([once(child, "message"), failed])) as [Ready];
  return {
    url,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
  };
}
