import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
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

  it("discardRest stops after 16 MiB", async () => {
    const request = message();
    const discarded = discardRest(request);
    let sentBytes = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const send = (): void => {
      while (!request.destroyed && request.write(chunk)) sentBytes += chunk.length;
      if (!request.destroyed) request.once("drain", send);
    };

    send();
    await discarded;

    expect(request.destroyed).toBe(true);
    expect(sentBytes).toBeLessThan(20 * 1024 * 1024);
  });

  it("discardRest stops after 5 seconds", async () => {
    jest.useFakeTimers();
    const request = message();
    const discarded = discardRest(request);

    jest.advanceTimersByTime(5000);
    jest.useRealTimers();
    await discarded;

    expect(request.destroyed).toBe(true);
  });
});
