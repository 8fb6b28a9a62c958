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

it("is no layer where there is no hook", () => {
  const send = async () => reply;

  expect(requestHooks({ baseUrl: "http://x" })(send)).toBe(send);
});

describe("onRequest", () => {
  it("has the last word on a copy of the headers", async () => {
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

  it("stops being waited for when the caller gives up", async () => {
    const next = jest.fn(async () => reply);
    const controller = new AbortController();
    const send = requestHooks({ baseUrl: "http://x", onRequest: () => new Promise(() => {}) })(next);

    const call = rejectionOf(Promise.resolve(send(request({ signal: controller.signal }))));
    controller.abort(new Error("enough"));

    expect((await call).message).toBe("enough");
    expect(next).not.toHaveBeenCalled();
  });
});
