import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { r, type NodeExposureHandlers } from "../../../node/index";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { watchUncaught } from "../../support/watchUncaught";

const echo = r
  .task("echo")
  .run(async (input: unknown): Promise<unknown> => ({ input }))
  .build();
const pieces = r
  .task("pieces")
  .run(async () => Readable.from(["a", "b"]))
  .build();
const happened = r.event("happened").build();

interface HandMadeRequest {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string> | undefined;
  readonly body?: string;
}

const json = { "x-runner-token": token, "content-type": "application/json" };
const withType = (type: string) => ({ ...json, "content-type": type });

/** What reaches an exposure, and what is answered where the response works. */
const requests: Record<string, HandMadeRequest & { readonly status: number }> = {
  "a call": { body: '{"input":1}', status: 200 },
  "a call with a streamed result": { url: "/__runner/task/pieces", body: "{}", status: 200 },
  "an event": { url: "/__runner/event/happened", body: "{}", status: 200 },
  "the discovery": { url: "/__runner/discovery", method: "GET", status: 200 },
  "a preflight": { method: "OPTIONS", status: 204 },
  "a stranger": { headers: { "content-type": "application/json" }, body: "{}", status: 401 },
  "an id that is not exposed": { url: "/__runner/task/other", body: "{}", status: 403 },
  "a body that is no JSON": { body: "{", status: 400 },
  "a body that is too large": { body: "x".repeat(3_000_000), status: 413 },
  "a form without parts": { headers: withType("multipart/form-data; boundary=x"), body: "--x--", status: 400 },
  "a form without boundary": { headers: withType("multipart/form-data"), body: "x", status: 400 },
  "a method that is not served": { method: "PATCH", status: 405 },
  "a path of no kind": { url: "/__runner/other", body: "{}", status: 404 },
};

/** As adapters make them, of a stream that is no request of Node's and has no socket. */
const requestOf = ({ method = "POST", url = "/__runner/task/echo", headers = json, body }: HandMadeRequest) =>
  Object.assign(Readable.from(body === undefined ? [] : [Buffer.from(body)]), { method, url, headers });

const members = ["on", "once", "off", "write", "end", "writeHead", "setHeader", "getHeader", "hasHeader", "destroy"];
type Fault = "throws" | "is missing";
const faults = [
  ...members.map((member) => [member, "throws"] as const),
  ...members.map((member) => [member, "is missing"] as const),
];

/** A response that adapters make: an emitter with what Node's has. */
class HandMadeResponse extends EventEmitter {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  text = "";
  readonly headers: Record<string, unknown> = {};

  setHeader(name: string, value: unknown): void {
    this.headers[name] = value;
  }
  getHeader(name: string): unknown {
    return this.headers[name];
  }
  hasHeader(name: string): boolean {
    return name in this.headers;
  }
  writeHead(status: number): this {
    this.statusCode = status;
    this.headersSent = true;
    return this;
  }
  flushHeaders(): void {}
  write(piece: string | Buffer): boolean {
    this.text += piece.toString();
    return true;
  }
  end(piece: string | Buffer = ""): this {
    this.text += piece.toString();
    this.writableEnded = this.writableFinished = true;
    setImmediate(() => this.emit("close"));
    return this;
  }
  destroy(): this {
    this.destroyed = true;
    setImmediate(() => this.emit("close"));
    return this;
  }
}

function responseWith(member: string, fault: Fault): HandMadeResponse {
  const broken = (): never => {
    throw new Error(`${member} failed`);
  };
  return Object.assign(new HandMadeResponse(), { [member]: fault === "throws" ? broken : undefined });
}

const serve = (
  send: (req: IncomingMessage, res: ServerResponse) => unknown,
  request: HandMadeRequest,
  res: unknown,
): unknown => send(requestOf(request) as never, res as ServerResponse);

const start = (): Promise<TestExposure> => startExposure([echo, pieces, happened], { listen: undefined });
const handlerNames = ["handleTask", "handleEvent", "handleDiscovery", "handleRequest"] as const;

describe("an exposure behind an adapter", () => {
  it("an exposure serves a stream and an emitter that were made by hand, without a socket", async () => {
    using uncaught = watchUncaught();
    await using exposure = await start();
    const served = Object.entries(requests).map(async ([name, { status, ...request }]) => {
      const res = new HandMadeResponse();
      const closed = once(res, "close");
      await serve(exposure.handlers.handleRequest, request, res);
      await closed;
      return [name, res.statusCode, status];
    });

    for (const [name, statusCode, status] of await Promise.all(served))
      expect([name, statusCode]).toEqual([name, status]);
    expect(uncaught.seen).toEqual([]);
  });

  it.each(faults)("an exposure outlives responses whose %s %s, whatever is called", async (member, fault) => {
    using uncaught = watchUncaught();
    await using exposure = await start();
    const listener = exposure.handlers.createRequestListener();

    const served = Object.values(requests).flatMap((request) => [
      ...handlerNames.map((name) => serve(exposure.handlers[name], request, responseWith(member, fault))),
      serve(listener, request, responseWith(member, fault)),
      serve(listener, { ...request, url: "/elsewhere" }, responseWith(member, fault)),
    ]);
    await Promise.all(served);
    await exposure.handlers.close();

    expect(uncaught.seen).toEqual([]);
  });

  it("an exposure that is given no response, or a request without headers, says what is missing", async () => {
    using uncaught = watchUncaught();
    await using exposure = await start();
    const { handleTask }: NodeExposureHandlers = exposure.handlers;

    await serve(handleTask, {}, undefined);
    await serve(handleTask, {}, Object.freeze({ statusCode: 200 }));
    const res = new HandMadeResponse();
    const withoutHeaders: unknown = Object.assign(requestOf({}), { headers: undefined });
    await handleTask(withoutHeaders as never, res as never);

    expect(res.statusCode).toBe(500);
    const messages = exposure.logs.flatMap(({ error }) => error?.message ?? []);
    expect(messages).toEqual([
      expect.stringContaining("missing: res.on, res.once"),
      expect.stringContaining("missing: res.on, res.once"),
      expect.stringContaining("missing: req.headers"),
    ]);
    expect(uncaught.seen).toEqual([]);
  });
});
