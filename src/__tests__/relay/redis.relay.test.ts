import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { tunnelPull } from "../../node";
import { startRelay } from "../support/relay/relay";
import { soon } from "../support/soon";
import { runProgram } from "../support/runProgram";
import { findPackage, findParty } from "./support/parties";
import { freePort } from "../support/freePort";
import { runParty, startServerProgram, tempFolder } from "./support/programs";

/** A Redis of its own that keeps nothing, projected onto the relay. */
async function pulledRedis() {
  const folder = await tempFolder();
  const port = await freePort();
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder.path,
  ];
  const redis = await startServerProgram(findParty("redis-server"), args, port);
  const relay = await startRelay();
  const handle = await tunnelPull({ ...relay.driver, containerPort: 0, localPort: port });
  return {
    relay,
    handle,
    redis,
    cli: async (args: readonly string[], input?: string) =>
      (await runParty("redis-cli", ["-p", String(handle.containerPort), ...args], { input })).output.toString(),
    async [Symbol.asyncDispose]() {
      await handle.close();
      await relay[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A module in a process of its own, which is read line by line. */
function startModule(script: string) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    next: async (): Promise<string> => ((await lines.next()) as { value: string }).value,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

describe("a Redis behind a driver", () => {
  /** The client, for programs that import it. */
  const redisUrl = JSON.stringify(pathToFileURL(join(findPackage("redis"), "dist/index.js")).href);

  it("redis-cli reaches a Redis behind a driver, loads it through a pipe, and counts what arrived", async () => {
    await using site = await pulledRedis();
    const commands = Array.from({ length: 20_000 }, (_, index) => `INCRBY total ${index}`);

    expect(await site.cli(["PING"])).toBe("PONG\n");
    expect(await site.cli(["-x", "SET", "large"], "x".repeat(3_000_000))).toBe("OK\n");
    expect(await site.cli(["STRLEN", "large"])).toBe("3000000\n");
    expect(await site.cli(["--pipe"], `${commands.join("\r\n")}\r\n`)).toContain("errors: 0, replies: 20000");
    expect(await site.cli(["GET", "total"])).toBe("199990000\n");
    expect((await site.cli(["GET", "large"])).length).toBe(3_000_001);
  });

  it("the client of npm pipelines, subscribes, and comes back after the driver's connection was cut", async () => {
    await using site = await pulledRedis();
    const script = `
      const { createClient } = await import(${redisUrl});
      const { log } = console;
      const make = async () => {
        const client = createClient({ url: "redis://127.0.0.1:${site.handle.containerPort}" });
        client.on("error", () => {});
        await client.connect();
        return client;
      };
      const [client, subscriber] = await Promise.all([make(), make()]);
      await Promise.all(Array.from({ length: 500 }, () => client.incr("hits")));
      log("hits", await client.get("hits"));
      let hear;
      const heard = new Promise((resolve) => (hear = resolve));
      await subscriber.subscribe("news", hear);
      await client.publish("news", "extra");
      log("heard", await heard);
      client.destroy();
      subscriber.destroy();
    `;

    const before = await runProgram(["--input-type=module", "-e", script]);
    const resumed = once(site.handle.session, "resumed");
    site.relay.relay.drop(site.handle.session.sessionId ?? "");
    await soon(resumed);
    while (!(await site.cli(["PING"])).startsWith("PONG")) await new Promise(setImmediate);
    const after = await runProgram(["--input-type=module", "-e", script]);

    expect(before).toMatchObject({ exitCode: 0, stdout: "hits 500\nheard extra\n" });
    expect(after).toMatchObject({ exitCode: 0, stdout: "hits 1000\nheard extra\n" });
  });

  it("a client of npm that goes on finds its Redis again each time the driver's connection is cut, and counts no more than Redis did", async () => {
    await using site = await pulledRedis();
    const script = `
      const { createClient } = await import(${redisUrl});
      const socket = { reconnectStrategy: () => 20 };
      const client = createClient({ url: "redis://127.0.0.1:${site.handle.containerPort}", socket, disableOfflineQueue: true });
      client.on("error", () => {});
      client.on("ready", () => console.log("ready"));
      await client.connect();
      let done = 0;
      let failed = 0;
      process.stdin.resume().once("end", async () => {
        while (!client.isReady || done === 0) await new Promise(setImmediate);
        clearInterval(timer);
        await sending;
        console.log(JSON.stringify({ done, failed, total: Number(await client.get("count")) }));
        client.destroy();
      });
      let sending = Promise.resolve();
      const timer = setInterval(() => {
        sending = client.incr("count").then(() => (done += 1), () => (failed += 1));
      }, 1);
    `;
    await using program = startModule(script);
    const seen = [await program.next()];

    for (let time = 0; time < 3; time++) {
      const resumed = once(site.handle.session, "resumed");
      site.relay.relay.drop(site.handle.session.sessionId ?? "");
      await soon(resumed);
      seen.push(await program.next());
    }
    program.child.stdin.end();
    const counts = JSON.parse(await program.next()) as { done: number; failed: number; total: number };

    expect(seen).toEqual(["ready", "ready", "ready", "ready"]);
    expect(counts.done).toBeGreaterThan(0);
    // What was under way may have been counted, and its reply lost: the client is told that it failed.
    expect(counts.total).toBeGreaterThanOrEqual(counts.done);
    expect(counts.total).toBeLessThanOrEqual(counts.done + counts.failed);
  });

  it("redis-cli is refused, and not left hanging, while no Redis and no driver is there", async () => {
    await using site = await pulledRedis();
    await site.redis[Symbol.asyncDispose]();
    const withoutRedis = await runParty("redis-cli", ["-p", String(site.handle.containerPort), "PING"]);
    await site.handle.close();
    const withoutDriver = await runParty("redis-cli", ["-p", String(site.handle.containerPort), "PING"]);

    expect([withoutRedis.code, withoutDriver.code]).toEqual([1, 1]);
    expect(withoutDriver.errors + String(withoutDriver.output)).toContain("Connection refused");
  });
});
