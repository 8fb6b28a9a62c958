/** A process that hears durable events, and writes down which, in the order in which their hooks have run. */
import { appendFileSync } from "node:fs";
import { r, run } from "../../../node/index";
import { natsConnection, natsEvents } from "../../../node/nats/index";
import type { HearerOptions } from "./startHearer";

const options = JSON.parse(process.env["HEARER"] ?? "{}") as HearerOptions;
const counted = r.event<{ key: string; n: number }>("test.counted").build();
const write = r
  .hook("hearer.write")
  .on(counted)
  .run(async ({ data }) => {
    if (options.workMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.workMs));
    appendFileSync(options.file, `${data.key} ${data.n} ${process.pid}\n`);
  })
  .build();

const started = run(
  r
    .resource("hearer")
    .register([
      counted,
      write,
      natsConnection.with({ servers: options.url }),
      natsEvents.with({
        namespace: "acme",
        service: options.service,
        events: [counted],
        ackWaitMs: 1000,
        maxInFlight: options.maxInFlight,
        ...(options.ordered === true && { partitionBy: { "test.counted": ({ key }: { key: string }) => key } }),
      }),
    ])
    .build(),
  { errorBoundary: false, logs: { printThreshold: null } },
);

process.on("message", () => void started.then(() => process.send?.({ answer: process.pid })));
process.on("disconnect", () => process.exit());
