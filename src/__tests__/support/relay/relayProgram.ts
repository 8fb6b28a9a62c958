/** A relay in a process of its own, so that its memory is its own. */
import { r, run, tunnelRelay } from "../../../node/index";
import { answerQuestions, readCollectedMemory, type CollectedMemory } from "../memory/program";

/** What a test can ask. */
export interface RelayAnswers {
  url(): string;
  memory(): CollectedMemory;
  /** Cuts the connections of all drivers, which may resume. */
  drop(): void;
}

const token = "relay-secret";

async function main(): Promise<void> {
  const relay = tunnelRelay.with({ listen: { port: 0 }, portRange: [22_000, 31_999], auth: { token } });
  const app = await run(r.resource("relay").register([relay]).build(), {
    shutdownHooks: false,
    logs: { printThreshold: null },
  });
  const { url, sessions, drop } = app.getResourceValue(tunnelRelay);
  answerQuestions({
    url: () => url,
    memory: readCollectedMemory,
    drop() {
      for (const { sessionId } of sessions()) drop(sessionId);
    },
  });
}

void main();
