import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A broker in a process of its own, on a free port of this machine, with its streams in a temporary folder. */
export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Ends it at once, by SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on its port, with its streams. */
  restart(): Promise<void>;
}

/** @param config text of a configuration file, beside the port and the folder */
export async function startNatsServer(config = ""): Promise<NatsServer> {
  const dir = await mkdtemp(join(tmpdir(), "runner-nats-"));
  const configFile = join(dir, "nats.conf");
  await writeFile(configFile, config);
  let child: ChildProcess;
  let port = -1;

  async function start(): Promise<void> {
    const options = ["-c", configFile, "-a", "127.0.0.1", "-js", "-sd", join(dir, "store")];
    const where = ["-p", String(port), "--ports_file_dir", dir];
    child = spawn(findNatsServer(), [...options, ...where], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (log.includes("Server is ready")) resolve();
      });
      child.once("close", () => reject(new Error(`nats-server ended: ${log}`)));
      child.once("error", reject);
    });
    child.stderr?.removeAllListeners("data").resume();
    if (port === -1) port = await readPort(dir);
  }

  async function end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }

  await start();
  return {
    get url() {
      return `nats://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    kill: () => end("SIGKILL"),
    restart: start,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The server writes them once it listens. */
async function readPort(dir: string): Promise<number> {
  for (;;) {
    const file = (await readdir(dir)).find((name) => name.endsWith(".ports"));
    if (file !== undefined) {
      const text = await readFile(join(dir, file), "utf8");
      if (text.endsWith("}")) {
        const { nats } = JSON.parse(text) as { nats: string[] };
        return Number(new URL(nats[0] as string).port);
      }
    }
    await new Promise(setImmediate);
  }
}

/** Debian puts it where only root looks. */
export function findNatsServer(): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  const found = folders.map((folder) => join(folder, "nats-server")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("nats-server is missing: apt-get install nats-server");
  return found;
}
