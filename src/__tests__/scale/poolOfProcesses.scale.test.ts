import { setTimeout as sleep } from "node:timers/promises";
import { createHttpMixedClient, createHttpSmartClient } from "../../node";
import { watchStalls } from "../support/draining/watchStalls";
import { freePort } from "../support/freePort";
import type { PoolServerAnswers } from "../support/pool/server";
import { startProgram, type Program } from "../support/startProgram";

type Server = Program<PoolServerAnswers>;

const startServer = (env: Readonly<Record<string, string>> = {}) => startProgram<PoolServerAnswers>("pool/server", env);

/** Starts a process for each environment. */
async function startServers(...environments: readonly Readonly<Record<string, string>>[]) {
  const servers = await Promise.all(environments.map(startServer));
  const endpoints = await Promise.all(servers.map((server) => server.ask("baseUrl")));
  const end = async () => void (await Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));
  return { servers, endpoints, [Symbol.asyncDispose]: end };
}

/** Calls over and over, `callers` at a time, until so many were made. */
async function callTimes(times: number, callers: number, call: (id: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const calling = async (): Promise<void> => {
    while (next < times) await call(next++);
  };
  await Promise.all(Array.from({ length: callers }, calling));
}

const begunBy = (servers: readonly Server[]) => Promise.all(servers.map((server) => server.ask("begun")));

it.each(["least-inflight", "round-robin"] as const)(
  "a pool spreads 10,000 calls of equal cost over three processes within 10 percent: %s",
  async (balance) => {
    await using started = await startServers({ WORK_MS: "4" }, { WORK_MS: "4" }, { WORK_MS: "4" });
    const { servers, endpoints } = started;
    await using client = createHttpMixedClient({ endpoints, balance });

    await callTimes(10_000, 24, (id) => client.task("app.work", id));

    const counts = await begunBy(servers);
    expect(counts.reduce((sum, count) => sum + count)).toBe(10_000);
    for (const count of counts) expect(Math.abs(count - 10_000 / 3)).toBeLessThan(1_000 / 3);
    expect(client.endpoints()).toEqual(endpoints.map((url) => ({ url, state: "up", inFlight: 0, failures: 0 })));
  },
  60_000,
);

it("a pool gives one of three processes that is ten times slower less than 15 percent of the calls", async () => {
  await using started = await startServers({ WORK_MS: "5" }, { WORK_MS: "5" }, { WORK_MS: "50" });
  const { servers, endpoints } = started;
  await using client = createHttpMixedClient({ endpoints });

  await callTimes(1_000, 8, (id) => client.task("app.work", id));

  const [, , slow = NaN] = await begunBy(servers);
  expect(slow).toBeGreaterThan(0);
  expect(slow).toBeLessThan(150);
}, 60_000);

it.each([
  ["Mixed", createHttpMixedClient],
  ["Smart", createHttpSmartClient],
] as const)(
  "a pool answers all of 64 concurrent idempotent calls when one of two processes is killed: %s",
  async (_name, create) => {
    await using started = await startServers({ WORK_MS: "20" }, { WORK_MS: "20" });
    const { servers, endpoints } = started;
    await using client = create({ endpoints });
    let answered = 0;

    const calling = callTimes(1_500, 64, async (id) => {
      expect(await client.task("app.work", id, { isRepeatable: true })).toBe(id);
      answered += 1;
      if (answered === 300) servers[0]?.kill();
    });
    await calling;

    expect(answered).toBe(1_500);
    expect(client.endpoints().map(({ state, inFlight }) => [state, inFlight])).toEqual([
      ["ejected", 0],
      ["up", 0],
    ]);
  },
  60_000,
);

it("a pool loses no call while each of two processes is restarted in turn under load", async () => {
  const environments = [await freePort(), await freePort()].map((port) => ({ WORK_MS: "5", PORT: String(port) }));
  await using started = await startServers(...environments);
  const { servers, endpoints } = started;
  await using client = createHttpMixedClient({ endpoints, eject: { forMs: 200 } });
  using stalls = watchStalls();
  const lost: string[] = [];
  let [answered, isOver] = [0, false];

  async function callUntilOver(isRepeatable: boolean): Promise<void> {
    for (let id = 0; !isOver; id += 1) {
      const endedAtMs = performance.now();
      await sleep(Math.random() * 20);
      // On a busy machine it may be longer than `quietMs`, which is 250: such a caller may meet the end of its connection.
      const pausedMs = performance.now() - endedAtMs;
      try {
        await client.task("app.work", id, { isRepeatable });
        answered += 1;
      } catch (error) {
        if (pausedMs <= 200 && !stalls.stoodStill) lost.push(`${isRepeatable}: ${String(error)}`);
      }
    }
  }
  async function untilAnswered(count: number): Promise<void> {
    const wanted = answered + count;
    while (answered < wanted && lost.length === 0) await sleep(5);
  }

  const calling = Array.from({ length: 32 }, (_, index) => callUntilOver(index % 2 === 0));
  for (const index of [0, 1, 0]) {
    await untilAnswered(200);
    const leaving = servers[index] as Server;
    expect((await leaving.terminate()).exit).toBe(0);
    await leaving[Symbol.asyncDispose]();
    const back = (servers[index] = await startServer(environments[index]));
    await back.ask("baseUrl");
  }
  await untilAnswered(200);
  isOver = true;
  await Promise.all(calling);

  expect(lost).toEqual([]);
}, 60_000);
