import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { discardRest, IdleWatch, resolveLimits } from "./limits";

describe("IdleWatch", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it("finds what stood still for the whole time, once", () => {
    const watch = new IdleWatch(1000);
    const onIdle = jest.fn();
    watch.add(onIdle);

    jest.advanceTimersByTime(1000);
    expect(onIdle).not.toHaveBeenCalled();
    jest.advanceTimersByTime(5000);

    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it("leaves alone what keeps moving, however slowly", () => {
    const watch = new IdleWatch(1000);
    const onIdle = jest.fn();
    watch.add(onIdle);

    for (let step = 0; step < 20; step++) {
      jest.advanceTimersByTime(900);
      watch.touch(onIdle);
    }

    expect(onIdle).not.toHaveBeenCalled();
  });

  it("forgets what is done, and stops its timer when nothing is left", () => {
    const watch = new IdleWatch(1000);
    const onIdle = jest.fn();
    watch.add(onIdle);

    watch.delete(onIdle);
    watch.touch(onIdle);
    jest.advanceTimersByTime(5000);

    expect(onIdle).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("discardRest", () => {
  const message = () =>
    Object.assign(new PassThrough(), { complete: false }) as unknown as PassThrough & IncomingMessage;

  it("reads on until the sender is done", async () => {
    const request = message();
    const discarded = discardRest(request);

    request.write("rest");
    request.end();
    await discarded;

    expect(request.listenerCount("data")).toBe(0);
  });

  it("gives up after 16 MiB", async () => {
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

  it("gives up after 5 seconds", async () => {
    jest.useFakeTimers();
    const request = message();
    const discarded = discardRest(request);

    jest.advanceTimersByTime(5000);
    jest.useRealTimers();
    await discarded;

    expect(request.destroyed).toBe(true);
  });
});

describe("resolveLimits", () => {
  it("keeps the defaults of what is left out, key by key", () => {
    const { multipart, jsonBytes } = resolveLimits({ multipart: { fileSize: 5, files: undefined } });

    expect(multipart).toMatchObject({ fileSize: 5, files: 10, fields: 100, fieldSize: 1024 * 1024, parts: 110 });
    expect(jsonBytes).toBe(2 * 1024 * 1024);
  });

  it("takes Infinity for no limit, or for weeks where a timer has to count", () => {
    const { jsonBytes, bodyIdleMs, closeMs } = resolveLimits({
      json: { maxSize: Infinity },
      bodyIdleMs: Infinity,
      closeMs: Infinity,
    });

    expect([jsonBytes, bodyIdleMs, closeMs]).toEqual([Infinity, 2 ** 31 - 1, 2 ** 31 - 1]);
  });
});
