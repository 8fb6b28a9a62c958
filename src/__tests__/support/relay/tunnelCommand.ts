import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../root";
import { relayToken } from "./relay";

/** What a command prints with `--json`, line by line. */
export type CommandEvent = Readonly<Record<string, unknown>>;

/** A relay or a driver in a process of its own. Disposing kills it. */
export interface TunnelCommand extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The next event of this name; earlier ones are skipped. Rejects when the command ends before it. */
  event(name: string): Promise<CommandEvent>;
  /** Sends a signal. @returns the exit code, or the signal that ended the process */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** Starts `runner tunnel ... --json` from `dist`, which `ensureBuilt` makes. */
export function startTunnelCommand(...args: readonly string[]): TunnelCommand {
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), "tunnel", ...args, "--json"], {
    env: { ...process.env, RUNNER_TUNNEL_TOKEN: relayToken },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async event(name) {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`The command ended before it told of "${name}".`);
        const event = JSON.parse(value) as CommandEvent;
        if (event["event"] === name) return event;
      }
    },
    async end(signal) {
      child.kill(signal);
      const [code, endedBy] = await ended;
      return code ?? endedBy;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A relay of its own process. @param port 0 for any */
export async function startRelayCommand(port = 0): Promise<TunnelCommand & { readonly url: string }> {
  const command = startTunnelCommand("relay", "--port", String(port), "--port-range", "22000-31999");
  const { url } = await command.event("listening");
  return { ...command, url: url as string };
}

/** Publishes an HTTP service from a process of its own. @param containerPort 0 for any */
export async function startExposeCommand(
  relay: string,
  localPort: number,
  containerPort = 0,
): Promise<TunnelCommand & { readonly containerPort: number }> {
  const at = ["--relay", relay, "--container-port", String(containerPort)];
  const command = startTunnelCommand("expose", String(localPort), ...at);
  const { port } = await command.event("bound");
  return { ...command, containerPort: port as number };
}
