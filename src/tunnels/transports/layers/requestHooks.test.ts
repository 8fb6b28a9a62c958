import { rejectionOf } from "../../../__tests__/support/failures";
import { textBody, type WireRequest, type WireResponse } from "../../protocol/wire";
import { requestHooks } from "./requestHooks";

const reply: WireResponse = { status: 200, body: { kind: "text", text: "" } };
const request = (patch: Partial<WireRequest> = {}): WireRequest => ({
  target: { kind: "task", id: "a b" },
  headers: Object.freeze({ "content-type": "x" }),
  body: textBody(""),
  signal: undefined,
  ...patch,
});

it("onRequest is no layer where there is no hook", () => {
  const send = async () => reply;

  expect(requestHooks({ baseUrl: "http://x" })(send)).toBe(send);
});

describe("onRequest", () => {
  it("onRequest has the last word on a copy of the headers", async () => {
    const sent: WireRequest[] = [];
    const send = requestHooks({
      baseUrl: "http://x/r",
      async onRequest({ url, headers }) {
        await Promise.resolve();
        headers["x-url"] = url;
        delete headers["content-type"];
      },
    })(async (each) => (sent.push(each), reply));

    await send(request());

    expect(sent[0]?.headers).toEqual({ "x-url": "http://x/r/task/a%20b" });
  });

  it.each<[string, (headers: Record<string, unknown>) => void, object]>([
    ["another spelling of a header", (headers) => (headers["X-Runner-Token"] = "hook"), { "x-runner-token": "hook" }],
    ["the header itself", (headers) => (headers["x-runner-token"] = "hook"), { "x-runner-token": "hook" }],
    [
      "two spellings, the later one",
      (headers) => Object.assign(headers, { "X-Own": "first", "x-OWN": "second" }),
      { "x-runner-token": "client", "x-own": "second" },
    ],
    ["a number", (headers) => (headers["X-Count"] = 3), { "x-runner-token": "client", "x-count": "3" }],
    ["nothing", (headers) => (headers["X-Runner-Token"] = undefined), {}],
  ])("onRequest sends one header per name, in lower case, where the hook writes %s", async (_what, write, expected) => {
    const sent: WireRequest[] = [];
    const send = requestHooks({ baseUrl: "http://x", onRequest: ({ headers }) => void write(headers) })(
      async (each) => (sent.push(each), reply),
    );

    await send(request({ headers: Object.freeze({ "x-runner-token": "client" }) }));

    expect(sent[0]?.headers).toEqual(expected);
  });

  it("onRequest stops being waited for when the caller aborts", async () => {
    const next = jest.fn(async () => reply);
    const controller = new AbortController();
    const send = requestHooks({ baseUrl: "http://x", onRequest: () => new Promise(() => {}) })(next);

    const call = rejectionOf(Promise.resolve(send(request({ signal: controller.signal }))));
    controller.abort(new Error("enough"));

    expect((await call).message).toBe("enough");
    expect(next).not.toHaveBeenCalled();
  });
});
