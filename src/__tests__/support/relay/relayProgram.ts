/** A relay in a process of its own, so that its memory is its own. */
import { r, run, tunnelRelay } from "../../../node/index";
import { answerQuestions } from "../memory/program";

/** What a relay's process has once garbage is collected, in bytes. */
export interface RelayMemory {
  /** What it takes of the machine. */
  readonly resident: number;
  /** What is in use: objects, and the buffers they hold. */
  readonly used: number;
}

/** What a test can ask. */
export interface RelayAnswers {
  url(): string;
  memory(): RelayMemory;
}

const token = "relay-secret";

async function main(): Promise<void> {
  const relay = tunnelRelay.with({ listen: { port: 0 }, portRange: [22_000, 31_999], auth: { token } });
  const app = await run(r.resource("relay").register([relay]).build(), {
    shutdownHooks: false,
    logs: { printThreshold: null },
  });
  const { url } = app.getResourceValue(tunnelRelay);
  answerQuestions({
    url: () => url,
    async memory() {
      for (let time = 0; time < 3; time++) await globalThis.gc?.({ execution: "async", type: "major" });
      const { rss, heapUsed, external } = process.memoryUsage();
      return { resident: rss, used: heapUsed + external };
    },
  });
}

void main();
