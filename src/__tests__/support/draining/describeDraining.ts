import { setTimeout as sleep } from "node:timers/promises";
import { startProgram } from "../startProgram";
import { clients, isTurnedAway, type Client } from "./clients";
import type { DrainingServerAnswers, Farewell } from "./server";
import { watchStalls } from "./watchStalls";

/** How many callers call at the same time, each over and over. */
const callers = 60;

/** Longest time that a caller spends between two calls, in ms; `quietMs` is 250. */
const longestPauseMs = 100;

/** What became of the calls of one client. */
interface Outcome {
  readonly succeeded: number[];
  /** Codes or messages of what failed other than by "not here any more". */
  readonly lost: string[];
}

async function callUntilTurnedAway(client: Client, nextId: () => number, { succeeded, lost }: Outcome) {
  using stalls = watchStalls();
  for (let endedAtMs = performance.now(); ; endedAtMs = performance.now()) {
    await sleep(Math.random() * longestPauseMs);
    const id = nextId();
    // On a busy machine it may be longer; such a caller is promised nothing.
    const pausedMs = performance.now() - endedAtMs;
    try {
      await client.task("app.work", { id, ms: Math.random() * 40 });
      succeeded.push(id);
    } catch (error) {
      if (isTurnedAway(error) || pausedMs > 200 || stalls.stoodStill) return;
      lost.push(`${id}: ${String((error as NodeJS.ErrnoException).code)} ${(error as Error).message}`);
    }
  }
}

/** The tests that say what callers see of a server that is asked to stop while they call. */
export function describeDraining(rounds: number) {
  it.each(clients)(
    `loses no call that it took, and resets no connection of ${callers} callers: %s client`,
    async (_name, createClient) => {
      for (let round = 0; round < rounds; round++) {
        await using server = await startProgram<DrainingServerAnswers>("draining/server");
        const client = createClient(await server.ask("baseUrl"));
        await server.ask("failWhileStopping");
        const outcome: Outcome = { succeeded: [], lost: [] };
        let id = 0;
        const calling = Array.from({ length: callers }, () => callUntilTurnedAway(client, () => id++, outcome));
        while (outcome.succeeded.length < callers * 5) await sleep(5);

        const { exit, farewell } = await server.terminate<Farewell>();
        await Promise.all(calling);
        await client.close();

        expect(outcome.lost).toEqual([]);
        expect(farewell).toEqual({
          finished: expect.arrayContaining(outcome.succeeded) as unknown,
          unfinished: [],
          unhandled: ["Error: stray"],
        });
        expect([farewell?.finished.length, exit]).toEqual([outcome.succeeded.length, 0]);
      }
    },
    60_000 + rounds * 5_000,
  );
}
