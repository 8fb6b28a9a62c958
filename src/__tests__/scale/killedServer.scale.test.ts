import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpMixedClient } from "../../node";
import type { Charge, IdempotentServerAnswers } from "../support/idempotency/server";
import { startProgram } from "../support/startProgram";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "runner-killed-server-"))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const count = 40;

it("a server that is killed gives its keys up after their lease, and every caller on both servers gets the one reply of its key", async () => {
  const effects = join(folder, "effects.txt");
  const start = (NAME: string) =>
    startProgram<IdempotentServerAnswers>("idempotency/server", {
      ...{ NAME, EFFECTS: effects },
      ...{ DB: join(folder, "replies.db"), LEASE_MS: "1000" },
    });
  await using first = await start("first");
  await using second = await start("second");
  const endpoints = [await first.ask("baseUrl"), await second.ask("baseUrl")];
  // One half of the callers begins at the first server, and is moved to the other when it is gone.
  await using moved = createHttpMixedClient({ endpoints, balance: (choices) => choices[0] as (typeof choices)[0] });
  await using waiting = createHttpMixedClient({ baseUrl: endpoints[1] as string });
  const charges = Array.from({ length: count }, (_, id): Charge => ({ id, hangs: id % 2 === 1 }));
  const callAll = (client: typeof waiting) =>
    charges.map((charge) => client.task("app.charge", charge, { idempotencyKey: `charge-${charge.id}` }));

  const onBoth = callAll(moved);
  await Promise.all(onBoth.filter((_, id) => id % 2 === 0));
  while ((await first.ask("begun")) < count);
  const onSecond = callAll(waiting);
  await Promise.all(onSecond.filter((_, id) => id % 2 === 0));
  const begunBeforeEnd = await second.ask("begun");
  first.kill();

  const expected = charges.map(({ id, hangs }) => `${id} by ${hangs ? "second" : "first"}`);
  expect(begunBeforeEnd).toBe(0);
  expect(await Promise.all(onBoth)).toEqual(expected);
  expect(await Promise.all(onSecond)).toEqual(expected);
  expect(await second.ask("begun")).toBe(count / 2);
  const made = readFileSync(effects, "utf8").trim().split("\n");
  expect(made.map((line) => Number(line.split(" ")[0])).sort((a, b) => a - b)).toEqual(charges.map(({ id }) => id));
});
