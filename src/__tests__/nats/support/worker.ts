/** A process that serves tasks over NATS, and tells how often each has run. */
import { globals, r, run } from "../../../node/index";
import { natsConnection, natsExposure, natsIdempotencyStore } from "../../../node/nats/index";
import { quoteOf } from "./quotes";
import type { WorkerOptions } from "./startWorker";

const options = JSON.parse(process.env["WORKER"] ?? "{}") as WorkerOptions;
const ran: Record<string, number> = {};
const note = (name: string): void => void (ran[name] = (ran[name] ?? 0) + 1);

const add = r
  .task("work.add")
  .run(async ({ n, ms = 0 }: { n: number; ms?: number }) => {
    note("add");
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    return n + 1;
  })
  .build();
/** Waits until its signal aborts. */
const hold = r
  .task("work.hold")
  .run(async (_input: unknown, _deps, { signal }) => {
    note("held");
    await new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  })
  .build();
/** Keeps the process from doing anything else. */
const block = r
  .task("work.block")
  .run(async (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  })
  .build();
const who = r
  .task("work.who")
  .run(async () => process.pid)
  .build();
/** Yields once, then waits. */
const tick = r
  .task("work.tick")
  .stream(async function* (_input: unknown, _deps, { signal }) {
    note("tick");
    yield 0;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  })
  .build();
/** Happens once for each key, on whichever worker; the one that is to be killed never comes to its end. */
const once = r
  .task("work.once")
  .tags([globals.tags.idempotent.with({ store: natsIdempotencyStore, leaseMs: 1_000 })])
  .run(async (n: number) => {
    note("once");
    if (options.hangs === true) await new Promise(() => {});
    return `${n} by ${options.name}`;
  })
  .build();
const quote = quoteOf(options.version ?? 1, () => note("quote"));
const tunnel = r
  .resource("worker.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({
    mode: "server" as const,
    tasks: [add.id, hold.id, block.id, who.id, tick.id, once.id, quote.id],
  }))
  .build();

const started = run(
  r
    .resource("worker")
    .register([
      ...[add, hold, block, who, tick, once, quote, tunnel],
      natsIdempotencyStore.with({ namespace: options.namespace ?? "acme" }),
      natsConnection.with({ servers: options.url, name: options.name ?? "worker" }),
      natsExposure.with({
        namespace: options.namespace ?? "acme",
        group: "workers",
        auth: { token: "s3cret" },
        limits: options.limits,
        contract: options.version === undefined ? undefined : "hashes",
      }),
    ])
    .build(),
  { errorBoundary: false, logs: { printThreshold: null } },
);

const answers = {
  ready: async () => {
    await started;
    return process.pid;
  },
  ran: async () => ({ ...ran }),
};

process.on("message", ({ question }: { question: keyof typeof answers }) => {
  void answers[question]().then((answer) => process.send?.({ answer }));
});
process.on("disconnect", () => process.exit());
