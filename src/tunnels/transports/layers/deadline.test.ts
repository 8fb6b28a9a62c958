import { createDeferred } from "../../../__tests__/support/deferred";
import { rejectionOf } from "../../../__tests__/support/failures";
import { textBody, type WireRequest, type WireResponse } from "../../protocol/wire";
import { deadline } from "./deadline";
import { requestHooks } from "./requestHooks";

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

it.each([0, -1, Number.NaN, Infinity, 2 ** 31])(
  "a deadline leaves a call alone where there is no limit: %p",
  async (timeoutMs) => {
    const sent: WireRequest[] = [];
    const call = request();

    await deadline({ baseUrl: "http://x", timeoutMs })(async (each) => (sent.push(each), reply))(call);

    expect(sent).toEqual([call]);
    expect(sent[0]).toBe(call);
  },
);

describe("timeoutMs", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it.each([
    ["the hook", requestHooks({ baseUrl: "http://x", onRequest: () => new Promise<void>(() => {}) })(pending)],
    ["the carrier", pending],
  ])("timeoutMs also covers %s", async (_what, next) => {
    const send = deadline({ baseUrl: "http://x", timeoutMs: 50 })(next);

    const call = rejectionOf(Promise.resolve(send(request())));
    await jest.advanceTimersByTimeAsync(50);

    expect(await call).toMatchObject({
      name: "AbortError",
      message: expect.stringMatching(/^This operation was aborted\n {2}no reply within \d+ ms\n {2}task /) as string,
    });
  });

  it("timeoutMs rejects with the error of the carrier's choice", async () => {
    const late = (url: string, timeoutMs: number) => new Error(`${url} took ${timeoutMs}`);
    const send = deadline({ baseUrl: "http://x", timeoutMs: 50, timeoutError: late })(pending);

    const call = rejectionOf(Promise.resolve(send(request())));
    await jest.advanceTimersByTimeAsync(50);

    expect((await call).message.split("\n")[0]).toBe("http://x/task/a%20b took 50");
  });

  it("timeoutMs leaves neither timer nor listener behind", async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, "removeEventListener");
    const added = jest.spyOn(signal, "addEventListener");
    const send = deadline({ baseUrl: "http://x", timeoutMs: 50 })(async () => reply);

    await send(request({ signal }));

    expect(jest.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  });

  it("timeoutMs lets the caller's own signal through", async () => {
    const controller = new AbortController();
    const reason = new Error("mine");
    const send = deadline({ baseUrl: "http://x", timeoutMs: 50 })(pending);

    const call = rejectionOf(Promise.resolve(send(request({ signal: controller.signal }))));
    controller.abort(reason);

    expect(await call).toBe(reason);
  });

  it("timeoutMs ends with the start of a streamed reply, which the caller's signal still reaches", async () => {
    const closed = createDeferred();
    const stream = { once: (_event: string, listener: () => void) => void closed.promise.then(listener) };
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const send = deadline({ baseUrl: "http://x", timeoutMs: 50 })(async ({ signal }) => {
      seen = signal;
      return { status: 200, body: { kind: "stream", stream: stream as never } };
    });

    await send(request({ signal: controller.signal }));
    await jest.advanceTimersByTimeAsync(100);
    expect(seen?.aborted).toBe(false);

    controller.abort();
    expect(seen?.aborted).toBe(true);
  });
});
