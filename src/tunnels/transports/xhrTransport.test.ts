import { text } from "node:stream/consumers";
import { rejectionOf } from "../../__tests__/support/failures";
import { createFile } from "../../platform/createFile";
import { createHttpClient } from "./httpClients";

type Listener = ((event: { loaded: number; total: number; lengthComputable: boolean }) => void) | null;

/** What the transport uses of an XMLHttpRequest; tests decide what comes of it. */
class FakeXhr {
  static last: FakeXhr;
  readonly headers: Record<string, string> = {};
  readonly upload: { onprogress: Listener; onload: Listener } = { onprogress: null, onload: null };
  onprogress: Listener = null;
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onabort: (() => void) | null = null;
  onloadend: (() => void) | null = null;
  status = 200;
  statusText = "OK";
  responseType = "";
  response = new Blob(['{"ok":true,"result":3}']);
  contentType = "application/json";
  responseURL = "";
  target: string[] = [];
  body: unknown;

  constructor() {
    FakeXhr.last = this;
  }
  open(...target: string[]): void {
    this.target = target;
    this.responseURL = target[1] ?? "";
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  getResponseHeader(): string {
    return this.contentType;
  }
  send(body: unknown): void {
    this.body = body;
  }
  abort(): void {
    this.onabort?.();
    this.onloadend?.();
  }
}

beforeEach(() => Object.assign(globalThis, { XMLHttpRequest: FakeXhr }));
afterEach(() => Reflect.deleteProperty(globalThis, "XMLHttpRequest"));

const client = createHttpClient({ baseUrl: "http://x.test/r", auth: { token: "tk" } });

/** Starts a call and waits until it is under way. */
async function start(onProgress: (progress: unknown) => void, signal?: AbortSignal) {
  const call = client.task("t", createFile({ name: "a" }, new Blob(["12345"])), { onProgress, signal });
  call.catch(() => {});
  await new Promise(setImmediate);
  return { call, xhr: FakeXhr.last };
}

it("the transport over XMLHttpRequest carries calls that want to know their progress, and tells it", async () => {
  const told: unknown[] = [];

  const { call, xhr } = await start((progress) => told.push(progress));
  xhr.upload.onprogress?.({ loaded: 3, total: 9, lengthComputable: true });
  xhr.upload.onload?.({ loaded: 9, total: 9, lengthComputable: true });
  xhr.onload?.();

  expect(await call).toBe(3);
  expect(told).toEqual([
    { sentBytes: 3, totalBytes: 9 },
    { sentBytes: 9, totalBytes: 9 },
  ]);
  expect(xhr.target).toEqual(["POST", "http://x.test/r/task/t"]);
  expect(xhr.headers).toEqual({ "x-runner-token": "tk" });
  expect((xhr.body as FormData).get("__manifest")).toBe(
    '{"input":{"$runnerFile":"File","id":"F1","meta":{"name":"a"}}}',
  );
  expect(await ((xhr.body as FormData).get("file:F1") as Blob).text()).toBe("12345");
});

it("the transport over XMLHttpRequest is aborted by the signal, with its reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");

  const { call } = await start(() => {}, controller.signal);
  controller.abort(reason);

  expect(await rejectionOf(call)).toBe(reason);
});

it("the transport over XMLHttpRequest sends nothing of a call that was aborted while the transport was loaded", async () => {
  const opened = jest.spyOn(FakeXhr.prototype, "open");
  const controller = new AbortController();
  const reason = new Error("changed my mind");

  const call = createHttpClient({ baseUrl: "http://x.test/r" }).task("t", 1, {
    onProgress() {},
    signal: controller.signal,
  });
  controller.abort(reason);

  expect(await rejectionOf(call)).toBe(reason);
  await new Promise(setImmediate);
  expect(opened).not.toHaveBeenCalled();
  opened.mockRestore();
});

it("the transport over XMLHttpRequest fails in the words of fetch, also when the reply comes from elsewhere", async () => {
  const lost = await start(() => {});
  lost.xhr.onerror?.();
  const redirected = await start(() => {});
  redirected.xhr.responseURL = "http://elsewhere.test/";
  redirected.xhr.onload?.();

  const errors = [await rejectionOf(lost.call), await rejectionOf(redirected.call)];
  expect(errors.map(({ message }) => message.split("\n")[0])).toEqual(["Failed to fetch", "Failed to fetch"]);
  expect(errors[1]?.message).toContain('redirect to "http://elsewhere.test/"');
});

it("the transport over XMLHttpRequest resolves to a stream of what is no JSON, whatever its bytes look like", async () => {
  const { call, xhr } = await start(() => {});
  xhr.contentType = "application/octet-stream";
  xhr.onload?.();

  const reply = await call;

  expect(reply).toBeInstanceOf(ReadableStream);
  expect(await text(reply as ReadableStream)).toBe('{"ok":true,"result":3}');
});

it("the transport over XMLHttpRequest leaves calls without an interest in progress, or with a fetch of their own, to fetch", async () => {
  const fetchImpl = async () => new Response('{"ok":true,"result":"by fetch"}');
  const own = createHttpClient({ baseUrl: "http://x.test/r", fetchImpl });

  expect(await own.task("t", 1, { onProgress() {} })).toBe("by fetch");
});
