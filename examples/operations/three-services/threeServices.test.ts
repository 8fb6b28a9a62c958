import { readExampleRuns, runExample } from "../../../src/__tests__/support/runExample";
import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";

beforeAll(ensureBuilt, buildTimeoutMs);

it.each(readExampleRuns("examples/operations/three-services/README.md"))(
  "the example prints what the page says: $command",
  async (example) => {
    const { exitCode, stdout, stderr } = await runExample(example, 110_000);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.trim()).toBe(example.output);
  },
  120_000,
);
