import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { r } from "../../node";
import { rawPost, startExposure } from "../support/exposure";
import type { SubscriberAnswers } from "../support/listeners/subscribers";
import { startProgram } from "../support/startProgram";
import { until } from "../support/turns";

const count = 1000;
const KiB = 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use once garbage is gone, and what the process takes of the machine, in bytes. */
function measure() {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}

it("1,000 streams of items that wait for their next one take less than 40 KB of their server each", async () => {
  let waiting = 0;
  let ended = 0;
  const waits = r
    .task("test.waits")
    .stream(async function* (_input: undefined, _dependencies, { signal }) {
      // The program that reads counts those that have begun by this word.
      yield { open: true };
      waiting += 1;
      try {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      } finally {
        ended += 1;
      }
    })
    .build();
  await using server = await startExposure([waits], { limits: { streams: { open: 2 * count } } });
  const ask = rawPost("/__runner/task/test.waits", "{}", ["accept: application/x-runner-items+ndjson"]);
  const openThem = async () => {
    const readers = await startProgram<SubscriberAnswers>("listeners/subscribers");
    const before = waiting;
    await readers.ask("open", { port: server.port, ask, count });
    await until(() => waiting === before + count);
    return readers;
  };
  // What is loaded and grown by the first ones is no part of a stream.
  await (await openThem())[Symbol.asyncDispose]();
  await until(() => ended === count);
  const before = measure();

  const readers = await openThem();
  const after = measure();

  const perStream = (of: "used" | "resident"): number => (after[of] - before[of]) / count;
  console.log(
    `${(perStream("used") / KiB).toFixed(1)} KB in use and ${(perStream("resident") / KiB).toFixed(1)} KB resident a stream`,
  );
  expect(perStream("used")).toBeLessThan(40 * KiB);

  await readers[Symbol.asyncDispose]();
  await until(() => ended === 2 * count);
  const left = (measure().used - before.used) / count;
  expect(left).toBeLessThan(2 * KiB);
}, 120_000);
