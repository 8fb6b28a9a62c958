import { setTimeout as sleep } from "node:timers/promises";
import { startProgram, type Program } from "../startProgram";
import { clients, isTurnedAway, type Client } from "./clients";
import type { DrainingServerAnswers, Farewell } from "./server";

/** A server, with one client of each kind for it. */
export interface Member {
  readonly server: Program<DrainingServerAnswers>;
  readonly baseUrl: string;
  readonly clients: readonly Client[];
  isReady: boolean;
}

/** Servers that serve the same, and what a load balancer does: it asks which of them are ready, and spreads the calls. */
export class Fleet {
  readonly #members = new Set<Member>();
  readonly #watching: Promise<void>[] = [];
  #turn = 0;
  readonly #env: Readonly<Record<string, string>>;

  /** @param env of the servers, beside that of this process */
  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = env;
  }

  async add(): Promise<Member> {
    const server = await startProgram<DrainingServerAnswers>("draining/server", {
      ...this.#env,
      DRAIN_DELAY_MS: "300",
    });
    const baseUrl = await server.ask("baseUrl");
    const member = { server, baseUrl, clients: clients.map(([, create]) => create(baseUrl)), isReady: false };
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

  /** The next one of those that are ready. */
  pick(): Member | undefined {
    const ready = [...this.#members].filter(({ isReady }) => isReady);
    return ready[this.#turn++ % ready.length];
  }

  /** Calls one of those that are ready; another one, where a server says that it did not take the call. */
  async call(kind: number, input: { id: number; ms: number }): Promise<void> {
    for (;;) {
      const member = this.pick();
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
