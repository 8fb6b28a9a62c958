import { setTimeout as sleep } from "node:timers/promises";
import { clients } from "./clients";
import { Fleet, type Member } from "./fleet";
import { watchStalls } from "./watchStalls";

/** How many callers each kind of client has, each of which calls over and over. */
const callersPerClient = 20;

/** The tests that say what callers see while two servers are restarted in turn. */
export function describeRestarts(restarts: number) {
  it(
    `loses no call, resets no connection and runs nothing twice for ${callersPerClient} callers of each client`,
    async () => {
      await using fleet = new Fleet();
      using stalls = watchStalls();
      const members = [await fleet.add(), await fleet.add()];
      const ends: Awaited<ReturnType<Fleet["end"]>>[] = [];
      const [succeeded, lost]: [number[], string[]] = [[], []];
      let [nextId, isOver] = [0, false];

      async function callUntilOver(kind: number): Promise<void> {
        for (let endedAtMs = performance.now(); !isOver; endedAtMs = performance.now()) {
          await sleep(Math.random() * 100);
          const id = nextId++;
          // On a busy machine it may be longer than `quietMs`; such a caller is promised nothing.
          const pausedMs = performance.now() - endedAtMs;
          try {
            await fleet.call(kind, { id, ms: Math.random() * 40 });
            succeeded.push(id);
          } catch (error) {
            const { code, message } = error as NodeJS.ErrnoException;
            if (pausedMs <= 200 && !stalls.stoodStill) lost.push(`${id}: ${String(code)} ${message}`);
          }
        }
      }
      async function untilServed(count: number): Promise<void> {
        const wanted = succeeded.length + count;
        while (succeeded.length < wanted) await sleep(5);
      }

      const calling = Array.from({ length: callersPerClient * clients.length }, (_, index) =>
        callUntilOver(index % clients.length),
      );
      for (let restart = 0; restart < restarts; restart++) {
        await untilServed(200);
        ends.push(await fleet.end(members.shift() as Member));
        members.push(await fleet.add());
      }
      await untilServed(200);
      isOver = true;
      await Promise.all(calling);
      for (const member of members) ends.push(await fleet.end(member));

      const finished = ends.flatMap(({ farewell }) => farewell?.finished ?? []);
      const inOrder = (ids: readonly number[]) => [...ids].sort((a, b) => a - b);
      expect(lost).toEqual([]);
      expect(ends.map(({ exit, farewell }) => [exit, farewell?.unfinished, farewell?.unhandled])).toEqual(
        ends.map(() => [0, [], []]),
      );
      expect(inOrder(finished)).toEqual(inOrder(succeeded));
    },
    60_000 + restarts * 10_000,
  );
}
