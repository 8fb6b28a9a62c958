import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { stopTime, type StoppedTime } from "../../__tests__/support/stopTime";
import { discardRest } from "./discardRest";

describe("discardRest", () => {
  const message = () =>
    Object.assign(new PassThrough(), { complete: false }) as unknown as PassThrough & IncomingMessage;

  it("discardRest reads on until the sender is done", async () => {
    const request = message();
    const discarded = discardRest(request);

    request.write("rest");
    request.end();
    await discarded;

    expect(request.listenerCount("data")).toBe(0);
  });

  it("discardRest reads no more than 16 MiB, and leaves its sender as long as any other", async () => {
    using time = stopTime();
    const request = message();
    const discarded = discardRest(request);
    let sentBytes = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const full = new Promise<void>((resolve) => {
      const send = (): void => {
        while (request.write(chunk)) sentBytes += chunk.length;
        request.once("drain", send);
        if (request.isPaused()) resolve();
      };
      send();
    });

    await full;
    expect(sentBytes).toBeLessThan(20 * 1024 * 1024);
    expect(request.destroyed).toBe(false);
    await passSeconds(time, 5);
    await discarded;

    expect(request.destroyed).toBe(true);
  });

  it("discardRest stops after 5 seconds", async () => {
    using time = stopTime();
    const request = message();
    const discarded = discardRest(request);

    await passSeconds(time, 4);
    expect(request.destroyed).toBe(false);
    await passSeconds(time, 1);
    await discarded;

    expect(request.destroyed).toBe(true);
  });

  it("discardRest takes the time in which the process did not run for one second", async () => {
    using time = stopTime();
    const request = message();
    const discarded = discardRest(request);

    time.advance(60_000);
    await nextTurn();
    await passSeconds(time, 3);
    expect(request.destroyed).toBe(false);
    await passSeconds(time, 1);
    await discarded;

    expect(request.destroyed).toBe(true);
  });
});

/** Lets seconds pass in which the process runs. */
async function passSeconds(time: StoppedTime, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    time.advance(1000);
    await nextTurn();
  }
}
