import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { placed } from "../integration/subscriptions/subscriptionDefinitions";
import { rawPost, type RawConnection } from "../support/exposure";
import type { SubscriberAnswers } from "../support/listeners/subscribers";
import { startProgram } from "../support/startProgram";
import { startSubscriptions } from "../support/subscriptionServer";
import { until } from "../support/turns";

const count = 1000;
const stalledCount = 100;
const KiB = 1024;
const accept = "accept: application/x-runner-items+ndjson";
const ask = rawPost("/__runner/subscribe", JSON.stringify({ input: { events: [placed.id] } }), [accept]);

/** How many times an order was written: whatever writes the payload reads it. */
let written = 0;
const orderOf = (order: number, note = "") => ({
  get order() {
    written += 1;
    return order;
  },
  note,
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use once garbage is gone, in bytes. */
function inUse(): number {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Counts lines of events, and drops them. */
function follow(connection: RawConnection) {
  const seen = { lines: 0, gaps: 0, isClosed: false };
  connection.socket.removeAllListeners("data");
  connection.socket.on("data", (chunk: Buffer) => {
    const text = chunk.toString("latin1");
    seen.lines += text.split('"event":').length - 1;
    seen.gaps += text.split('"reason":"slow"').length - 1;
  });
  connection.socket.once("close", () => (seen.isClosed = true));
  return seen;
}

it("1,000 subscribers, 100 of whom take nothing, hear each event that is written once; those are told what they missed", async () => {
  const limits = { subscriptions: { open: count, queuedBytes: 64 * KiB } };
  await using server = await startSubscriptions({ subscribable: [placed] }, { limits });
  const before = inUse();
  const connections = Array.from({ length: count }, () => server.connect());
  for (const { write } of connections) write(ask);
  await Promise.all(connections.map(({ until: has }) => has(/"open"/)));
  const perSubscriber = (inUse() - before) / count;
  const [stalled, reading] = [connections.slice(0, stalledCount), connections.slice(stalledCount)];
  const told = stalled.map(follow);
  const heard = reading.map(follow);
  for (const { socket } of stalled) socket.pause();

  // As often as for one: a payload may be looked at before it is written.
  await using alone = await startSubscriptions({ subscribable: [placed] });
  const single = alone.connect();
  single.write(ask);
  await single.until(/"open"/);
  written = 0;
  await alone.app.emitEvent(placed, orderOf(1));
  const writtenForOne = written;
  single.socket.destroy();
  written = 0;
  await server.app.emitEvent(placed, orderOf(1));
  const writtenFor = written;
  await until(() => heard.every(({ lines }) => lines === 1));

  for (const { socket } of reading.slice(stalledCount)) socket.destroy();
  const rest = heard.slice(0, stalledCount);
  // Far beyond what the kernel and the queue of one that takes nothing hold.
  const note = "x".repeat(128 * KiB);
  const emissions = 150;
  for (let order = 2; order <= emissions; order += 1) {
    await server.app.emitEvent(placed, orderOf(order, note));
    await until(() => rest.every(({ lines }) => lines === order));
  }
  for (const { socket } of stalled) socket.resume();
  await until(() => told.every(({ gaps }) => gaps > 0));
  for (const { socket } of connections) socket.destroy();

  console.log(`${Math.round(perSubscriber / KiB)} KB a subscriber, both ends`);
  expect(writtenFor).toBe(writtenForOne);
  expect(written).toBe(emissions * writtenForOne);
  // Of both ends, which are in this process.
  expect(perSubscriber).toBeLessThan(30 * KiB);
  expect(rest.every(({ gaps }) => gaps === 0)).toBe(true);
}, 300_000);

it("1,000 subscribers of another process hear each of many events once, from the first one on", async () => {
  await using server = await startSubscriptions(
    { subscribable: [placed] },
    { limits: { subscriptions: { open: count } } },
  );
  await using subscribers = await startProgram<SubscriberAnswers>("listeners/subscribers");
  await subscribers.ask("open", { port: server.port, ask, count });
  const emissions = 30;
  const taken: { readonly lastHeardMs: number; readonly cpuMs: number }[] = [];

  let last: ReturnType<SubscriberAnswers["heard"]> | undefined;
  for (let order = 1; order <= emissions; order += 1) {
    const beganAtMs = performance.timeOrigin + performance.now();
    const cpuBefore = process.cpuUsage();
    await server.app.emitEvent(placed, orderOf(order));
    last = await subscribers.ask("heard", order);
    const { user, system } = process.cpuUsage(cpuBefore);
    taken.push({ lastHeardMs: last.lastAtMs - beganAtMs, cpuMs: (user + system) / 1000 });
  }

  const median = (of: (each: (typeof taken)[number]) => number): string =>
    (taken.map(of).sort((a, b) => a - b)[emissions >> 1] as number).toFixed(1);
  console.log(
    `the last of ${count} subscribers heard an event after ${median(({ lastHeardMs }) => lastHeardMs)} ms, ` +
      `CPU of the server ${median(({ cpuMs }) => cpuMs)} ms; medians of ${emissions} events`,
  );
  expect(last).toMatchObject({ lines: [emissions, emissions], gaps: 0 });
}, 120_000);

it("a subscriber that takes nothing for drainMs is cut, whatever others do", async () => {
  const limits = { subscriptions: { queuedBytes: 16 * KiB, drainMs: 200 } };
  await using server = await startSubscriptions({ subscribable: [placed] }, { limits });
  const [stalled, other] = [server.connect(), server.connect()];
  for (const { write } of [stalled, other]) write(ask);
  await Promise.all([stalled, other].map(({ until: has }) => has(/"open"/)));
  const heard = follow(other);
  stalled.socket.pause();
  const countOf = (): Promise<number> =>
    new Promise((resolve) => server.handlers.server?.getConnections((_error, connected) => resolve(connected)));

  const note = "x".repeat(512 * KiB);
  let order = 0;
  while ((await countOf()) > 1) {
    order += 1;
    await server.app.emitEvent(placed, orderOf(order, note));
    await until(() => heard.lines === order);
  }

  expect(heard.isClosed).toBe(false);
  for (const { socket } of [stalled, other]) socket.destroy();
}, 60_000);
