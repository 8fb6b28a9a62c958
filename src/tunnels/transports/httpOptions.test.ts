import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { textBody, type WireRequest, type WireResponse } from "../protocol/wire";
import { readBaseUrl, withHttpOptions } from "./httpOptions";

const reply: WireResponse = { status: 200, body: { kind: "text", text: "" } };
const request = (patch: Partial<WireRequest> = {}): WireRequest => ({
  target: { kind: "task", id: "a b" },
  headers: Object.freeze({ "content-type": "x" }),
  body: textBody(""),
  signal: undefined,
  ...patch,
});
/** Ends when its signal says so, as a real carrier. */
const pending = ({ signal }: WireRequest): Promise<WireResponse> =>
  new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));

describe("readBaseUrl", () => {
  it.each([
    ["http://x/r", "http://x/r"],
    ["http://x/r/", "http://x/r"],
    ["http://x/r//", "http://x/r/"],
    ["/__runner/", "/__runner"],
  ])("cuts one slash: %s", (baseUrl, cut) => {
    expect(readBaseUrl({ baseUrl }, "createX")).toBe(cut);
  });

  it.each([undefined, ""])("names who needs it when there is %p", (baseUrl) => {
    expect(thrownBy(() => readBaseUrl({ baseUrl }, "createX")).message).toBe("createX requires baseUrl");
  });
});

it("adds nothing where nothing was asked for", () => {
  const carry = async () => reply;

  expect(withHttpOptions(carry, { baseUrl: "http://x" })).toBe(carry);
  for (const timeoutMs of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
    expect(withHttpOptions(carry, { baseUrl: "http://x", timeoutMs })).toBe(carry);
  }
});

describe("onRequest", () => {
  it("has the last word on a copy of the headers", async () => {
    const sent: WireRequest[] = [];
    const carry = withHttpOptions(async (each) => (sent.push(each), reply), {
      baseUrl: "http://x/r",
      async onRequest({ url, headers }) {
        await Promise.resolve();
        headers["x-url"] = url;
        delete headers["content-type"];
      },
    });

    await carry(request());

    expect(sent[0]?.headers).toEqual({ "x-url": "http://x/r/task/a%20b" });
  });

  it("stops being waited for when the caller gives up", async () => {
    const carry = jest.fn(async () => reply);
    const controller = new AbortController();
    const send = withHttpOptions(carry, { baseUrl: "http://x", onRequest: () => new Promise(() => {}) });

    const call = rejectionOf(Promise.resolve(send(request({ signal: controller.signal }))));
    controller.abort(new Error("enough"));

    expect((await call).message).toBe("enough");
    expect(carry).not.toHaveBeenCalled();
  });
});

describe("timeoutMs", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it.each([
    ["the hook", { onRequest: () => new Promise<void>(() => {}) }],
    ["the carrier", {}],
  ])("also covers %s", async (_what, hooks) => {
    const send = withHttpOptions(pending, { baseUrl: "http://x", timeoutMs: 50, ...hooks });

    const call = rejectionOf(Promise.resolve(send(request())));
    await jest.advanceTimersByTimeAsync(50);

    expect(await call).toMatchObject({ name: "AbortError", message: "This operation was aborted" });
  });

  it("rejects with the error of the carrier's choice", async () => {
    const late = (url: string, timeoutMs: number) => new Error(`${url} took ${timeoutMs}`);
    const send = withHttpOptions(pending, { baseUrl: "http://x", timeoutMs: 50, timeoutError: late });

    const call = rejectionOf(Promise.resolve(send(request())));
    await jest.advanceTimersByTimeAsync(50);

    expect((await call).message).toBe("http://x/task/a%20b took 50");
  });

  it("leaves neither timer nor listener behind", async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, "removeEventListener");
    const added = jest.spyOn(signal, "addEventListener");
    const send = withHttpOptions(async () => reply, { baseUrl: "http://x", timeoutMs: 50 });

    await send(request({ signal }));

    expect(jest.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  });

  it("lets the caller's own signal through", async () => {
    const controller = new AbortController();
    const reason = new Error("mine");
    const send = withHttpOptions(pending, { baseUrl: "http://x", timeoutMs: 50 });

    const call = rejectionOf(Promise.resolve(send(request({ signal: controller.signal }))));
    controller.abort(reason);

    expect(await call).toBe(reason);
  });

  it("ends with the start of a streamed reply, which the caller's signal still reaches", async () => {
    const closed = createDeferred();
    const stream = { once: (_event: string, listener: () => void) => void closed.promise.then(listener) };
    const controller = new AbortController();
    let carried: AbortSignal | undefined;
    const send = withHttpOptions(
      async ({ signal }) => {
        carried = signal;
        return { status: 200, body: { kind: "stream", stream: stream as never } };
      },
      { baseUrl: "http://x", timeoutMs: 50 },
    );

    await send(request({ signal: controller.signal }));
    await jest.advanceTimersByTimeAsync(100);
    expect(carried?.aborted).toBe(false);

    controller.abort();
    expect(carried?.aborted).toBe(true);
  });
});
