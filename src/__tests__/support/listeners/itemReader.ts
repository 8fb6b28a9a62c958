import { monitorEventLoopDelay } from "node:perf_hooks";
import { createHttpMixedClient } from "../../../node/index";
import { answerQuestions } from "../memory/program";

/** Which task to read, and how much of it. */
export interface Reading {
  readonly port: number;
  readonly token: string;
  readonly id: string;
  readonly items: number;
}

/** What came of it. */
export interface ReadItems {
  readonly items: number;
  /** How late the event loop was at most while items were read, in ms. */
  readonly loopDelayMs: number;
}

/** What the test can ask. */
export interface ItemReaderAnswers {
  read(reading: Reading): ReadItems;
}

async function read({ port, token, id, items: wanted }: Reading): Promise<ReadItems> {
  await using client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${port}/__runner`, auth: { token } });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const stream = client.stream(id, undefined)[Symbol.asyncIterator]();
  let items = 0;
  while (items < wanted && (await stream.next()).done !== true) {
    items += 1;
    // What is loaded with the first item is no part of it.
    if (items === 1000) delay.enable();
  }
  delay.disable();
  await stream.return?.();
  return { items, loopDelayMs: delay.max / 1e6 };
}

answerQuestions({ read: (reading) => read(reading as Reading) });
