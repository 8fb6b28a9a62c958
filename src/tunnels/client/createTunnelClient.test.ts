import { Readable } from "node:stream";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { carrierOf } from "../../__tests__/support/carrierOf";
import { r } from "../../define/r";
import type { ReplyBody, Transport, WireRequest, WireResponse } from "../protocol/wire";
import type { Carrier, TransportLayer } from "./carrier";
import { createCallCodec } from "./callCodec";
import { createTunnelClient, type TunnelClientOptions } from "./createTunnelClient";

/** A client whose calls end here. */
function clientWith(reply: ReplyBody, { auth, ...carrier }: Partial<Carrier> & Pick<TunnelClientOptions, "auth"> = {}) {
  const sent: WireRequest[] = [];
  const send: Transport = async (request) => {
    sent.push(request);
    return { status: 200, body: reply };
  };
  return { sent, client: createTunnelClient({ codec: createCallCodec, auth, carrier: carrierOf(send, carrier) }) };
}

const text = (value: string): ReplyBody => ({ kind: "text", text: value });
const fileOf = (source: { blob: Blob } | { buffer: Uint8Array }) => ({
  $runnerFile: "File",
  id: "A",
  meta: { name: "a" },
  ...("blob" in source ? { _web: source } : { _node: source }),
});
const done = text('{"ok":true,"result":3}');

async function sentText(request: WireRequest | undefined): Promise<unknown> {
  return request?.body.kind === "text" ? JSON.parse(await request.body.read()) : request?.body.kind;
}

it("a tunnel client addresses tasks and events and states what their bodies are", async () => {
  const { client, sent } = clientWith(done, { auth: { token: "secret", header: "X-Api-Key" } });

  const results = [await client.task("t", { a: 1 }), await client.event("e", 1), await client.eventWithResult("e", 2)];

  expect(results).toEqual([3, undefined, 3]);
  expect(sent.map(({ target }) => target)).toEqual([
    { kind: "task", id: "t" },
    { kind: "event", id: "e" },
    { kind: "event", id: "e" },
  ]);
  expect(await Promise.all(sent.map(sentText))).toEqual([
    { input: { a: 1 } },
    { payload: 1 },
    { payload: 2, returnPayload: true },
  ]);
  expect(sent[0]?.headers).toEqual({ "content-type": "application/json; charset=utf-8", "x-api-key": "secret" });
});

it("a tunnel client sends no header for an empty token", async () => {
  const { client, sent } = clientWith(done, { auth: { token: "" } });

  await client.task("t");

  expect(Object.keys(sent[0]?.headers ?? {})).toEqual(["content-type"]);
});

it("a tunnel client writes the headers of plain calls once, and they cannot be changed", async () => {
  const { client, sent } = clientWith(done);

  await client.task("a");
  await client.task("b");

  expect(sent[0]?.headers).toBe(sent[1]?.headers);
  expect(Object.isFrozen(sent[0]?.headers)).toBe(true);
});

it("a tunnel client hands a stream on as the whole body, and a streamed reply out as it is", async () => {
  const reply = Readable.from(["there"]);
  const { client, sent } = clientWith({ kind: "stream", stream: reply });
  const input = Readable.from(["here"]);

  expect(await client.task("t", input)).toBe(reply);
  expect(sent[0]).toMatchObject({ body: { kind: "stream" }, headers: { "content-type": "application/octet-stream" } });
  expect((sent[0]?.body as { stream: unknown }).stream).toBe(input);
});

it("a tunnel client takes files out into a form with a manifest", async () => {
  const { client, sent } = clientWith(done, { auth: { token: "secret" } });
  const source = { buffer: new Uint8Array([1]) };

  await client.task("t", {
    f: { $runnerFile: "File", id: "A", meta: { name: "a" }, _node: source },
    when: new Date(0),
  });

  expect(sent[0]).toMatchObject({
    // Whoever writes the form knows its boundary.
    headers: { "x-runner-token": "secret" },
    body: {
      kind: "form",
      manifest:
        '{"input":{"f":{"$runnerFile":"File","id":"A","meta":{"name":"a"}},"when":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}}}',
      files: [{ id: "A", meta: { name: "a" }, source: { bytes: source.buffer } }],
    },
  });
});

it("a tunnel client rejects an event that is answered by a stream", async () => {
  const { client } = clientWith({ kind: "stream", stream: Readable.from([]) });

  expect(await rejectionOf(client.event("e"))).toMatchObject({
    code: "INVALID_RESPONSE",
    message: 'Tunnel event error\n  event "e"',
  });
});

it("a tunnel client rejects what cannot be written, before anything is sent", async () => {
  const { client, sent } = clientWith(done);
  const loop: { self?: unknown } = {};
  loop.self = loop;

  expect(await rejectionOf(client.task("t", loop))).toBeInstanceOf(TypeError);
  expect(await rejectionOf(client.task("t", () => {}))).toBeInstanceOf(TypeError);
  expect(sent).toEqual([]);
});

it("a tunnel client shows the carrier which value a body was written from", async () => {
  const { client, sent } = clientWith(done);

  await client.task("t", { a: 5 });

  expect(sent[0]?.input).toEqual({ a: 5 });
});

it("a tunnel client puts layers around the carrier, the first one outermost", async () => {
  const order: string[] = [];
  const layer =
    (name: string): TransportLayer =>
    (next) =>
    async (request) => {
      order.push(`${name} in`);
      const response = await next(request);
      order.push(`${name} out`);
      return response;
    };
  const carrier = carrierOf(async () => (order.push("sent"), { status: 200, body: done }));
  const client = createTunnelClient({ codec: createCallCodec, carrier, layers: [layer("outer"), layer("inner")] });

  expect(await client.task("t", 1)).toBe(3);
  expect(order).toEqual(["outer in", "inner in", "sent", "inner out", "outer out"]);
});

it.each([
  ["a stream", { streams: { refusal: "No streams here." } }, () => Readable.from([]), "No streams here."],
  ["a file", { files: { refusal: "No files here." } }, () => fileOf({ blob: new Blob() }), "No files here."],
  [
    "a file of Node",
    { nodeFiles: { refusal: "Blobs only." } },
    () => fileOf({ buffer: new Uint8Array() }),
    "Blobs only.",
  ],
])(
  "a tunnel client refuses %s where the carrier does not accept it, in the carrier's words",
  async (_what, refused, input, words) => {
    const accepts: Carrier["accepts"] = {
      streams: true,
      files: true,
      nodeFiles: true,
      abort: true,
      ...refused,
    };
    const { client, sent } = clientWith(done, { accepts });

    expect((await rejectionOf(client.task("t", input()))).message).toBe(`${words}\n  task "t"`);
    expect(sent).toEqual([]);
  },
);

it.each([
  ["a source of nothing", { _node: {} }],
  ["no source", {}],
])("a tunnel client sends a sentinel with %s as the plain object it is for the server", async (_what, sidecar) => {
  const { client, sent } = clientWith(done);

  await client.task("t", { f: { $runnerFile: "File", id: "A", meta: { name: "a" }, ...sidecar } });

  expect(await sentText(sent[0])).toEqual({ input: { f: { $runnerFile: "File", id: "A", meta: { name: "a" } } } });
});

it("a tunnel client says that events carry no files", async () => {
  const { client, sent } = clientWith(done);
  const payload = { f: { $runnerFile: "File", id: "A", meta: { name: "a" }, _node: { buffer: new Uint8Array() } } };

  expect((await rejectionOf(client.event("e", payload))).message).toBe(
    'An event cannot carry files. Call a task instead.\n  event "e"',
  );
  expect(sent).toEqual([]);
});

it("a tunnel client takes the definition of a task or an event in the place of its id", async () => {
  const add = r.task.phantom<number, number>("app.add").build();
  const placed = r.event<number>("app.placed").build();
  const { client, sent } = clientWith(done);

  expect(await client.task(add, 1)).toBe(3);
  await client.event(placed, 1);
  expect(await client.eventWithResult(placed, 1)).toBe(3);

  expect(sent.map(({ target }) => `${target.kind} ${target.id}`)).toEqual([
    "task app.add",
    "event app.placed",
    "event app.placed",
  ]);
  expect((await rejectionOf(client.task(placed as never))).message).toContain("a task, got event");
  expect((await rejectionOf(client.event(add as never))).message).toContain("an event, got task");
  expect((await rejectionOf(client.task(5 as never))).message).toContain("by id, a string, or by its definition");
});

describe("giving up", () => {
  it("aborting a call rejects with the signal's reason without sending anything when it aborted before", async () => {
    const { client, sent } = clientWith(done);
    const reason = new Error("changed my mind");

    expect(await rejectionOf(client.task("t", 1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(sent).toEqual([]);
  });

  it("aborting a call hands the signal to the carrier", async () => {
    const { client, sent } = clientWith(done);
    const { signal } = new AbortController();

    await client.eventWithResult("e", 1, { signal });

    expect(sent[0]?.signal).toBe(signal);
  });
});

describe("closing", () => {
  it("closing a tunnel client refuses every later call", async () => {
    const { client, sent } = clientWith(done);

    await client.close();

    const calls = [client.task("t"), client.event("e"), client.eventWithResult("e")];
    for (const call of calls) expect(await rejectionOf(call)).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(sent).toEqual([]);
  });

  it("closing a tunnel client waits for the calls in flight before the carrier releases its connections", async () => {
    const order: string[] = [];
    const replied = createDeferred<WireResponse>();
    const { client } = clientWith(done, {
      async send() {
        const response = await replied.promise;
        order.push("replied");
        return response;
      },
      close: async () => void order.push("closed"),
    });
    const call = client.task("t", 1);

    const closings = [client.close(), client.close()];
    replied.resolve({ status: 200, body: done });

    await Promise.all([call, ...closings]);
    expect(order).toEqual(["replied", "closed", "closed"]);
  });

  it("closing a tunnel client waits no longer than it is told to", async () => {
    const { client } = clientWith(done, { send: () => new Promise(() => {}) });
    void client.task("t", 1);
    const controller = new AbortController();

    const closing = client.close({ signal: controller.signal });
    controller.abort();

    await closing;
  });

  it("closing a tunnel client fails a call that hangs in a carrier which cannot end it", async () => {
    const accepts: Carrier["accepts"] = { streams: true, files: true, nodeFiles: true, abort: false };
    const { client } = clientWith(done, { send: () => new Promise(() => {}), accepts });
    const call = rejectionOf(client.task("t", 1));

    await client.close({ signal: AbortSignal.abort() });

    expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  it("closing a tunnel client releases what the carrier holds, on close and at the end of a scope", async () => {
    const closings: unknown[] = [];
    const close = async (options: unknown) => void closings.push(options);
    const signal = AbortSignal.abort();
    {
      await using client = clientWith(done, { close }).client;
      await client.task("t");
    }

    await clientWith(done, { close }).client.close({ signal });

    expect(closings).toEqual([undefined, { signal }]);
  });
});
