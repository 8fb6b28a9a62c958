import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Published } from "./interopApp";
import type { Caller, ClientKind, Scenarios } from "./scenarios";

/** What the process is asked to do. */
export interface Perform {
  readonly id: number;
  readonly scenario: keyof Scenarios;
  readonly kind: ClientKind;
  readonly baseUrl: string;
  readonly parameters: readonly unknown[];
}

/** What came of it. Id 0: it is ready, at this address. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Plays a scenario against a server. */
export interface Player {
  play<S extends keyof Scenarios>(
    scenario: S,
    ...parameters: Parameters<Scenarios[S]> extends [Caller, ...infer Rest] ? Rest : never
  ): ReturnType<Scenarios[S]>;
}

/** A published package at work in a process of its own: its clients may bring theirs down. */
export interface PublishedPeer extends AsyncDisposable {
  /** Where it serves. */
  readonly baseUrl: string;
  /** Its client of a kind, calling a server of ours. */
  client(kind: ClientKind, baseUrl: string): Player;
}

const root = join(__dirname, "../../..");

export async function startPublished(published: Published): Promise<PublishedPeer> {
  const child = fork(join(__dirname, "publishedProcess.ts"), [published], {
    execArgv: ["--import", pathToFileURL(join(root, ".ci/typescript.mjs")).href],
    // Dates, maps and the like cross as they are.
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  const replyTo = (id: number) => new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));

  child.on("message", ({ id, value, error }: Reply) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(`In the process of ${published}: ${error}`));
  });
  child.on("exit", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`The process of ${published} ended with ${code}.`));
  });

  const baseUrl = (await replyTo(0)) as string;
  return {
    baseUrl,
    client: (kind, target) => ({
      play(scenario, ...parameters) {
        const id = ++lastId;
        child.send({ id, scenario, kind, baseUrl: target, parameters } satisfies Perform);
        return replyTo(id) as never;
      },
    }),
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exited;
    },
  };
}
