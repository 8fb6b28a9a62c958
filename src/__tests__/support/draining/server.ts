import { setTimeout as sleep } from "node:timers/promises";
import { globals, nodeExposure, r, run } from "../../../node/index";
import { answerQuestions } from "../memory/program";

/** What the test can ask. */
export interface DrainingServerAnswers {
  baseUrl(): string;
  /** Lets a promise reject that nothing handles, as soon as the process was asked to stop. */
  failWhileStopping(): void;
}

/** The last thing the process says. */
export interface Farewell {
  readonly finished: readonly number[];
  readonly unfinished: readonly number[];
  readonly unhandled: readonly string[];
}

const finished: number[] = [];
const underWay = new Set<number>();
const unhandled: string[] = [];

const work = r
  .task("app.work")
  .run(async ({ id, ms }: { id: number; ms: number }) => {
    underWay.add(id);
    await sleep(ms);
    underWay.delete(id);
    finished.push(id);
    return id;
  })
  .build();
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server" as const, tasks: [work] }))
  .build();

/** Time for whatever asks whether the server is ready, in ms. */
const delayMs = Number(process.env["DRAIN_DELAY_MS"] ?? 0);
/** The origin of pages that may call, if any. */
const origin = process.env["CORS_ORIGIN"];
const exposure = nodeExposure.with({
  http: {
    listen: { port: 0 },
    cors: origin === undefined ? undefined : { origin },
    health: "/healthz",
    ready: "/readyz",
    drain: { delayMs },
  },
});

async function main(): Promise<void> {
  const root = r
    .resource("app")
    .register([work, tunnel, exposure])
    // The root is disposed of first: by then every call has ended.
    .dispose(async () => {
      const farewell: Farewell = { finished, unfinished: [...underWay], unhandled };
      await new Promise((resolve) => process.send?.({ farewell }, resolve));
    })
    .build();
  const app = await run(root, {
    logs: { printThreshold: null },
    onUnhandledError: ({ error }) => void unhandled.push(String(error)),
  });
  answerQuestions({
    baseUrl: () => app.getResourceValue(nodeExposure).url,
    failWhileStopping: () => void process.once("SIGTERM", () => void Promise.reject(new Error("stray"))),
  });
}

void main();
