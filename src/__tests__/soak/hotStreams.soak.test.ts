import { monitorEventLoopDelay } from "node:perf_hooks";
import { r } from "../../node";
import { startExposure, token } from "../support/exposure";
import type { ItemReaderAnswers } from "../support/listeners/itemReader";
import { startProgram } from "../support/startProgram";

/** From how many characters on lines are sent. */
const flushChars = 16_384;

it.each([
  ["50 bytes", "x".repeat(20), 300_000],
  ["1 KB", "x".repeat(1000), 50_000],
])(
  "a generator that never waits makes no more than leaves at once between two turns of the event loop: items of %s",
  async (size, note, items) => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    let charsInTurn = 0;
    let mostInTurn = 0;
    let turns = 0;
    const endTurn = (): void => {
      turns += 1;
      mostInTurn = Math.max(mostInTurn, charsInTurn);
      charsInTurn = 0;
    };
    const rows = r
      .task("test.rows")
      .stream(async function* () {
        try {
          for (let n = 0; ; n += 1) {
            // What is loaded with the first item is no part of it.
            if (n === 1000) delay.enable();
            const row = { n, note };
            if (charsInTurn === 0) setImmediate(endTurn);
            charsInTurn += JSON.stringify({ item: row }).length + 1;
            yield row;
          }
        } finally {
          delay.disable();
        }
      })
      .build();
    await using server = await startExposure([rows]);
    await using reader = await startProgram<ItemReaderAnswers>("listeners/itemReader");
    const read = await reader.ask("read", { port: server.port, token, id: rows.id, items });

    const ms = (value: number): string => value.toFixed(1);
    console.log(
      `${size}: the loop was ${ms(delay.max / 1e6)} ms late at most, ${ms(delay.percentile(99) / 1e6)} ms in 99 of 100; that of ` +
        `the reader ${ms(read.loopDelayMs)} ms; ${Math.round(read.items / turns)} items a turn`,
    );
    expect(mostInTurn).toBeLessThan(flushChars + 2 * (note.length + 40));
    expect(read.items).toBe(items);
  },
  120_000,
);
