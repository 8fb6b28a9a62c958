import type { Report } from "./app/report";
import { describeCalls, type Calls } from "./support/describeCalls";
import { startWorker } from "./support/startWorker";

const isEdge = { value: "edge" };

describeWorker("workerd", [], {
  "detects its platform": isEdge,
  "takes an async context along": {
    error: expect.objectContaining({ name: "runner.errors.platformUnsupportedFunction" }),
  },
});

describeWorker("workerd with nodejs_compat", ["nodejs_compat"], { "detects its platform": isEdge });

function describeWorker(
  name: string,
  compatibilityFlags: readonly string[],
  deviations: NonNullable<Calls["deviations"]>,
): void {
  describeCalls(name, {
    entries: ["@bluelibs/runner"],
    async report(address) {
      await using worker = await startWorker("callFromWorker.mjs", { flags: compatibilityFlags });
      const response = await worker.fetch({ address, key: name });
      return (await response.json()) as Report;
    },
    deviations,
  });
}
