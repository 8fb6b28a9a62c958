import { globals, r } from "../../index";

r.task("a")
  .tags([globals.tags.healthCheck])
  .run(async () => true);
r.task("b")
  .tags([globals.tags.healthCheck.with({ affects: "health", timeoutMs: 10, cacheMs: 0 })])
  .run(async () => {});

// @ts-expect-error -- what a failure ends is "ready" or "health"
globals.tags.healthCheck.with({ affects: "liveness" });
// @ts-expect-error -- times are milliseconds
globals.tags.healthCheck.with({ timeoutMs: "1s" });
