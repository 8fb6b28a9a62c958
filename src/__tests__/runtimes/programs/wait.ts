/** An application of the entry `@bluelibs/runner` alone, which does nothing until a signal ends it. */
import { r, run } from "@bluelibs/runner";

const ledger = r
  .resource("app.ledger")
  .init(async () => "open")
  .dispose(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log("released");
  })
  .build();

await run(r.resource("app").register([ledger]).build(), { logs: { printThreshold: null } });
console.log("ready");
// Something has to keep the process alive.
setInterval(() => {}, 60_000);
