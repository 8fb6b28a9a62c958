import { rejectionOf } from "../../__tests__/support/failures";
import { carrierOf } from "../../__tests__/support/carrierOf";
import { defineAsyncContext } from "../../define/asyncContext";
import { createFile } from "../../platform/createFile";
import { Serializer, getDefaultSerializer } from "../../serializer/Serializer";
import type { Transport, WireRequest } from "../protocol/wire";
import type { CallCodecOptions } from "./codec";
import { createTunnelClient } from "./createTunnelClient";
import { lazyCodec } from "./lazyCodec";

/** A client whose calls end here; each reply says `result`. */
function clientOf(options: CallCodecOptions = {}, result = "1") {
  const sent: WireRequest[] = [];
  const send: Transport = async (request) => {
    sent.push(request);
    return { status: 200, body: { kind: "text", text: `{"ok":true,"result":${result}}` } };
  };
  return { sent, client: createTunnelClient({ ...options, codec: lazyCodec, carrier: carrierOf(send) }) };
}

const textOf = async ({ body }: WireRequest): Promise<string> => (body.kind === "text" ? body.read() : body.kind);

describe("a codec that loads what it needs", () => {
  it("a codec that loads what it needs writes and reads plain calls at once", async () => {
    const { client, sent } = clientOf({}, '{"at":{"__type":"Date","value":0}}');

    const call = client.task("t", { a: [1, undefined] });
    expect(sent).toHaveLength(1);

    expect(await call).toEqual({ at: new Date(0) });
    expect(await textOf(sent[0]!)).toBe('{"input":{"a":[1,{"__type":"Undefined","value":null}]}}');
  });

  it("a codec that loads what it needs writes and reads every other type, too", async () => {
    const { client, sent } = clientOf({}, '{"__type":"Set","value":[1]}');

    expect(await client.task("t", new Map([["k", 1n]]))).toEqual(new Set([1]));
    expect(await client.eventWithResult("e", new Set([2]))).toEqual(new Set([1]));
    expect(await Promise.all(sent.map(textOf))).toEqual([
      '{"input":{"__type":"Map","value":[["k",{"__type":"BigInt","value":"1"}]]}}',
      '{"payload":{"__type":"Set","value":[2]},"returnPayload":true}',
    ]);
  });

  it("a codec that loads what it needs sends an input as it was when the call was made", async () => {
    const { client, sent } = clientOf();
    const input = { names: new Set(["a"]), count: 1 };

    const call = client.task("t", input);
    input.names.clear();
    input.count = 2;
    await call;

    expect(await textOf(sent[0]!)).toBe('{"input":{"names":{"__type":"Set","value":["a"]},"count":1}}');
  });

  it("a codec that loads what it needs sends files and streams", async () => {
    const { client, sent } = clientOf();

    await client.task("t", { file: createFile({ name: "a" }, new Blob(["x"]), "A") });
    await client.task("t", new Blob(["x"]).stream());

    expect(sent.map(({ body }) => body.kind)).toEqual(["form", "stream"]);
    expect(await rejectionOf(client.event("e", { file: createFile({ name: "a" }, new Blob(["x"])) }))).toBeInstanceOf(
      TypeError,
    );
  });

  it("a codec that loads what it needs refuses what a complete one refuses", async () => {
    const hostile = '{"__type":"RegExp","value":{"pattern":"(a+)+$","flags":""}}';

    expect(await rejectionOf(clientOf({}, hostile).client.task("t"))).toMatchObject({ code: "INVALID_PAYLOAD" });
    expect(await rejectionOf(clientOf().client.task("t", { f() {} }))).toMatchObject({ code: "UNSUPPORTED_VALUE" });
    expect(await rejectionOf(clientOf({}, `${"[".repeat(1500)}${"]".repeat(1500)}`).client.task("t"))).toMatchObject({
      code: "DEPTH_EXCEEDED",
    });
  });

  it("a codec that loads what it needs uses the serializer it is given, and sends contexts along", async () => {
    const serializer = new Serializer();
    serializer.addType("Id", (id: string) => ({ id }));
    const context = defineAsyncContext<unknown>({ id: "app.user" });
    const { client, sent } = clientOf({ serializer, contexts: [context] }, '{"__type":"Id","value":"x"}');

    const result = await context.provide(new Map(), () => client.task("t", 1));

    expect(result).toEqual({ id: "x" });
    expect(sent[0]?.headers).toMatchObject({
      "x-runner-context": JSON.stringify({ "app.user": '{"__type":"Map","value":[]}' }),
    });
  });

  it("a codec that loads what it needs asks the types that were added to the default serializer", async () => {
    const { client, sent } = clientOf();
    await client.task("t", { x: 1 });
    getDefaultSerializer().addType({
      id: "Point",
      is: (value): value is { x: number } => typeof (value as { x?: unknown }).x === "number",
      serialize: ({ x }) => x,
      deserialize: (x: number) => ({ x }),
    });
    await client.task("t", { x: 1 });

    expect(await Promise.all(sent.map(textOf))).toEqual([
      '{"input":{"x":1}}',
      '{"input":{"__type":"Point","value":1}}',
    ]);
  });

  it("a codec that loads what it needs does not hold up a call that is aborted meanwhile", async () => {
    const { client, sent } = clientOf();
    const controller = new AbortController();

    const call = client.task("t", new Map(), { signal: controller.signal });
    controller.abort(new Error("enough"));

    expect(await rejectionOf(call)).toMatchObject({ message: "enough" });
    expect(sent).toEqual([]);
  });
});
