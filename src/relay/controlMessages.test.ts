import fc from "fast-check";
import { decodeControl, encodeControl, type ControlMessage } from "./controlMessages";
import { MuxProtocolError } from "./protocolError";

/** Every control message, key by key: what a driver in another language can be tested against. */
const golden: readonly (readonly [message: ControlMessage, text: string])[] = [
  [
    {
      t: "HELLO",
      v: 2,
      agent: "a/1",
      maxStreams: 10,
      maxFrame: 65_536,
      window: 262_144,
      features: ["http-frames"],
      connections: 2,
      resume: { sessionId: "ts_1", token: "r" },
      meta: { host: "h" },
    },
    '{"t":"HELLO","v":2,"agent":"a/1","maxStreams":10,"maxFrame":65536,"window":262144,"features":["http-frames"],' +
      '"connections":2,"resume":{"sessionId":"ts_1","token":"r"},"meta":{"host":"h"}}',
  ],
  [
    { t: "HELLO", shard: { sessionId: "ts_1", token: "s", index: 1 } },
    '{"t":"HELLO","shard":{"sessionId":"ts_1","token":"s","index":1}}',
  ],
  [
    {
      t: "HELLO_OK",
      sessionId: "ts_1",
      resumeToken: "r",
      resumed: true,
      protocol: "hoody-tunnel.v2",
      maxStreams: 10,
      maxFrame: 65_536,
      window: 262_144,
      maxWindow: 8_388_608,
      features: ["autotune"],
      pingMs: 15_000,
      deadMs: 60_000,
      graceMs: 60_000,
      connections: 1,
      shardToken: "s",
      bindings: [{ kind: "http", mode: "expose", containerPort: 3000, bindId: 12, name: "web" }],
      limits: { maxBindings: 32, sessionBufferBytes: 67_108_864 },
    },
    '{"t":"HELLO_OK","sessionId":"ts_1","resumeToken":"r","resumed":true,"protocol":"hoody-tunnel.v2",' +
      '"maxStreams":10,"maxFrame":65536,"window":262144,"maxWindow":8388608,"features":["autotune"],"pingMs":15000,' +
      '"deadMs":60000,"graceMs":60000,"connections":1,"shardToken":"s",' +
      '"bindings":[{"kind":"http","mode":"expose","containerPort":3000,"bindId":12,"name":"web"}],' +
      '"limits":{"maxBindings":32,"sessionBufferBytes":67108864}}',
  ],
  [{ t: "HELLO_ERR", code: "CAPACITY", message: "full" }, '{"t":"HELLO_ERR","code":"CAPACITY","message":"full"}'],
  [
    {
      t: "BIND",
      req: 7,
      kind: "http",
      mode: "expose",
      containerPort: 3000,
      host: "127.0.0.1",
      name: "web",
      path: null,
      takeover: true,
    },
    '{"t":"BIND","req":7,"kind":"http","mode":"expose","containerPort":3000,"host":"127.0.0.1","name":"web",' +
      '"path":null,"takeover":true}',
  ],
  [
    { t: "BIND_OK", req: 7, bindId: 12, containerPort: 3000, publicUrl: null },
    '{"t":"BIND_OK","req":7,"bindId":12,"containerPort":3000,"publicUrl":null}',
  ],
  [
    { t: "BIND_ERR", req: 7, code: "ALREADY_BOUND", message: "m", retryable: true },
    '{"t":"BIND_ERR","req":7,"code":"ALREADY_BOUND","message":"m","retryable":true}',
  ],
  [{ t: "BIND_REVOKED", bindId: 12, code: "TAKEOVER" }, '{"t":"BIND_REVOKED","bindId":12,"code":"TAKEOVER"}'],
  [{ t: "UNBIND", req: 8, bindId: 12 }, '{"t":"UNBIND","req":8,"bindId":12}'],
  [{ t: "UNBIND_OK", req: 8 }, '{"t":"UNBIND_OK","req":8}'],
  [
    { t: "GOAWAY", code: "SHUTDOWN", lastStreamId: 9, drainMs: 1, reconnect: true, message: "m" },
    '{"t":"GOAWAY","code":"SHUTDOWN","lastStreamId":9,"drainMs":1,"reconnect":true,"message":"m"}',
  ],
];

const types = [...new Set(golden.map(([{ t }]) => t))];
const read = (message: unknown): ControlMessage | undefined => decodeControl(Buffer.from(JSON.stringify(message)));

describe("control messages", () => {
  it.each(golden)("control messages are written as their type says, and read back: %j", (message, text) => {
    expect(Buffer.from(encodeControl(message)).toString()).toBe(text);
    expect(decodeControl(Buffer.from(text))).toEqual(message);
  });

  it("control messages take null for what is left out", () => {
    const absent = { agent: null, v: null, maxFrame: null, features: null, resume: null, shard: null, meta: null };

    expect(read({ t: "HELLO", ...absent })).toEqual({ t: "HELLO" });
    expect(read({ t: "HELLO", resume: { sessionId: "ts_1", token: null } })).toEqual({
      t: "HELLO",
      resume: { sessionId: "ts_1" },
    });
    expect(read({ t: "GOAWAY", code: "IDLE", lastStreamId: null, drainMs: null, message: null })).toEqual({
      ...{ t: "GOAWAY", code: "IDLE", lastStreamId: 0, drainMs: 0, reconnect: true, message: "" },
    });
  });

  it("control messages drop keys that are not known, and cut texts and lists that nothing depends on", () => {
    const features = Array.from({ length: 1_000 }, (_, index) => `f${index}`);
    const hello = read({ t: "HELLO", agent: "x".repeat(1_000), features, surprise: true });

    expect(hello).toMatchObject({ agent: "x".repeat(256), features: features.slice(0, 64) });
    expect(hello).not.toHaveProperty("surprise");
  });

  it.each([
    ["deeply nested JSON", "[".repeat(30_000) + "]".repeat(30_000)],
    ["a deeply nested meta that never ends", `{"t":"HELLO","meta":${'{"a":'.repeat(12_000)}`],
    ["no object", "[]"],
    ["no type", "{}"],
    ["a type that is no text", '{"t":1}'],
    ["bytes that are no UTF-8", "\xff\xfe"],
    ["a BIND without a number", '{"t":"BIND"}'],
    ["a BIND with a number past 2^53", '{"t":"BIND","req":9007199254740992}'],
    ["a HELLO with a negative limit", '{"t":"HELLO","maxFrame":-1}'],
    ["a HELLO with half a limit", '{"t":"HELLO","maxFrame":0.5}'],
    ["a HELLO whose resume is no object", '{"t":"HELLO","resume":7}'],
    ["a session id of 2,000 characters", `{"t":"HELLO","resume":{"sessionId":"${"x".repeat(2000)}"}}`],
    ["more than 64 KiB", JSON.stringify({ t: "HELLO", agent: "x".repeat(70_000) })],
  ])("control messages are refused with %s", (_name, text) => {
    expect(() => decodeControl(Buffer.from(text, "latin1"))).toThrow(MuxProtocolError);
  });

  it("control messages of 64 KiB are read without keeping what they do not need", () => {
    const nested = `{"t":"HELLO","x":${"[".repeat(32_000)}${"]".repeat(32_000)}}`;
    const many = `{"t":"HELLO",${Array.from({ length: 4_000 }, (_, index) => `"k${index}":1`).join(",")}}`;

    expect(decodeControl(Buffer.from(nested))).toEqual({ t: "HELLO" });
    expect(decodeControl(Buffer.from(many))).toEqual({ t: "HELLO" });
  });

  it.each(["PONG", "__proto__", "constructor", "toString"])(
    "control messages of the unknown type %s are ignored",
    (t) => {
      expect(decodeControl(Buffer.from(JSON.stringify({ t })))).toBeUndefined();
    },
  );

  it("control messages throw nothing but protocol errors for any JSON", () => {
    const key = fc.oneof(fc.constantFrom(...new Set(golden.flatMap(([message]) => Object.keys(message)))), fc.string());
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.dictionary(key, fc.jsonValue()), (t, fields) => {
        try {
          expect(read({ ...fields, t })).toMatchObject({ t });
        } catch (error) {
          expect(error).toBeInstanceOf(MuxProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
