import { setTimeout as sleep } from "node:timers/promises";
import { startProgram, type Program } from "../startProgram";
import { clients, isTurnedAway, type Client } from "./clients";
import type { DrainingServerAnswers, Farewell } from "./server";

/** How many callers each kind of client has, each of which calls over and over. */
const callersPerClient = 20;

/** A server, with one client of each kind for it. */
interface Member {
  readonly server: Program<DrainingServerAnswers>;
  readonly clients: readonly Client[];
  isReady: boolean;
}

/** Servers that serve the same, and what a load balancer does: it asks which of them are ready, and spreads the calls. */
class Fleet {
  readonly #members = new Set<Member>();
  readonly #watching: Promise<void>[] = [];
  #turn = 0;

  async add(): Promise<Member> {
    const server = await startProgram<DrainingServerAnswers>("draining/server", { DRAIN_DELAY_MS: "300" });
    const baseUrl = await server.ask("baseUrl");
    const member = { server, clients: clients.map(([, create]) => create(baseUrl)), isReady: false };
    this.#members.add(member);
    this.#watching.push(this.#watch(member, new URL("/readyz", baseUrl)));
    return member;
  }

  /** Asks a server to stop, and waits until it has. */
  async end(member: Member) {
    const ended = await member.server.terminate<Farewell>();
    this.#members.delete(member);
    await Promise.all(member.clients.map((client) => client.close()));
    await member.server[Symbol.asyncDispose]();
    return ended;
  }

  /** Calls one of those that are ready; another one, where a server says that it did not take the call. */
  async call(kind: number, input: { id: number; ms: number }): Promise<void> {
    for (;;) {
      const ready = [...this.#members].filter(({ isReady }) => isReady);
      const member = ready[this.#turn++ % ready.length];
      try {
        if (member !== undefined) return void (await member.clients[kind]?.task("app.work", input));
      } catch (error) {
        if (!isTurnedAway(error)) throw error;
      }
      await sleep(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) await this.end(member);
    await Promise.all(this.#watching);
  }

  async #watch(member: Member, ready: URL): Promise<void> {
    while (this.#members.has(member)) {
      member.isReady = await fetch(ready).then(
        ({ ok }) => ok,
        () => false,
      );
      await sleep(20);
    }
  }
}

/** The tests that say what callers see while two servers are restarted in turn. */
export function describeRestarts(restarts: number) {
  it(
    `loses no call, resets no connection and runs nothing twice for ${callersPerClient} callers of each client`,
    async () => {
      await using fleet = new Fleet();
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
            if (pausedMs <= 200) lost.push(`${id}: ${String(code)} ${message}`);
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
