import fc from "fast-check";
import { muxPair } from "../__tests__/support/muxPair";
import { decodeControl } from "./controlMessages";
import { encodeFrameHeader, FrameType } from "./frames";
import { MuxProtocolError } from "./protocolError";

const open = { bindId: 1, peer: "v:1", local: "l:2" };

/** A session of either role with some streams, whose peer is about to misbehave. */
function victim(role: "relay" | "driver") {
  const pair = muxPair((stream) => {
    stream.handler = { onData: (bytes) => stream.consumed(bytes.length) };
  });
  for (let count = 0; count < 3; count++) pair.relay.session.openTcp(open);
  pair.clock.settle();
  return { ...pair[role], clock: pair.clock };
}

const roles = fc.constantFrom("relay" as const, "driver" as const);
const type = fc.constantFrom(...Object.values(FrameType));
const frame = fc
  .record({
    type,
    flags: fc.nat(15),
    streamId: fc.oneof(fc.nat(9), fc.constantFrom(0x7fffffff, 1001)),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((text) => Buffer.from(text)),
    ),
  })
  .map(({ type: kind, flags, streamId, payload }) =>
    Buffer.concat([encodeFrameHeader(kind, flags, streamId, payload.length), payload]),
  );

/** What must hold whatever arrives: nothing is thrown, and nothing is kept beyond the budget. */
function survives(role: "relay" | "driver", messages: readonly Uint8Array[]): void {
  const { session, link, wire, failures, clock } = victim(role);
  for (const message of messages) link.receive(message);
  clock.settle();

  expect(failures.length).toBeLessThanOrEqual(1);
  expect(session.heldBytes).toBeGreaterThanOrEqual(0);
  expect(session.heldBytes).toBeLessThan(100_000);
  expect(wire.sentBytes).toBeLessThan(1_000_000);
  if (failures.length === 1) expect(session.activeStreams).toBe(0);
}

describe("a session whose peer sends nonsense", () => {
  it("a session whose peer sends nonsense survives random bytes", () => {
    fc.assert(fc.property(roles, fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), survives));
  });

  it("a session whose peer sends nonsense survives valid frames in random order", () => {
    fc.assert(fc.property(roles, fc.array(frame, { maxLength: 60 }), survives), { numRuns: 300 });
  });

  it("a session whose peer sends nonsense survives frames with flipped bits", () => {
    fc.assert(
      fc.property(
        roles,
        fc.array(frame, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat(7),
        (role, frames, at, bit) => {
          const bytes = Buffer.concat(frames);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] as number) ^ (1 << bit);

          survives(role, [bytes]);
        },
      ),
    );
  });

  it("a session whose peer sends nonsense survives the end of the connection after every byte of an exchange", () => {
    const recorded = Buffer.concat([
      encodeFrameHeader(FrameType.ACCEPT, 0, 1, 0),
      encodeFrameHeader(FrameType.DATA, 0, 1, 5),
      Buffer.from("hello"),
      encodeFrameHeader(FrameType.DATA, 1, 1, 0),
    ]);
    for (let end = 0; end <= recorded.length; end++) {
      const { session, link, failures } = victim("relay");
      link.receive(recorded.subarray(0, end));
      session.linkLost(link);

      expect([failures, session.activeStreams, session.heldBytes]).toEqual([[], 0, 0]);
    }
  });

  it("a session whose peer sends nonsense keeps nothing of a flood of resets, windows and accepts for streams that are over", () => {
    const { session, link, clock, failures } = victim("relay");
    session.linkLost(link);
    const { session: other, link: otherLink } = victim("relay");
    const late = Buffer.concat(
      [FrameType.RESET, FrameType.WINDOW, FrameType.ACCEPT].map((kind) => encodeFrameHeader(kind, 0, 1, 0)),
    );
    other.links[0]?.streams.forEach((stream) => stream.abort(0, ""));
    for (let count = 0; count < 100_000; count++) otherLink.receive(late);
    clock.settle();

    expect([other.activeStreams, failures]).toEqual([0, []]);
  });
});

describe("control messages", () => {
  it.each([
    ["deeply nested JSON", "[".repeat(30_000) + "]".repeat(30_000)],
    ["no object", "[]"],
    ["no type", "{}"],
    ["a type that is no text", '{"t":1}'],
    ["a BIND without a number", '{"t":"BIND"}'],
    ["a HELLO with a negative limit", '{"t":"HELLO","maxFrame":-1}'],
    ["a HELLO whose resume is no object", '{"t":"HELLO","resume":7}'],
    ["a session id of 2,000 characters", `{"t":"HELLO","resume":{"sessionId":"${"x".repeat(2000)}"}}`],
    ["more than 64 KiB", JSON.stringify({ t: "HELLO", agent: "x".repeat(70_000) })],
  ])("control messages are refused with %s", (_name, text) => {
    expect(() => decodeControl(Buffer.from(text))).toThrow(MuxProtocolError);
  });

  it.each(["PONG", "__proto__", "constructor", "toString"])(
    "control messages of the unknown type %s are ignored",
    (t) => {
      expect(decodeControl(Buffer.from(JSON.stringify({ t })))).toBeUndefined();
    },
  );

  it("control messages throw nothing but protocol errors for any JSON", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("HELLO", "HELLO_OK", "BIND", "GOAWAY", "BIND_OK"),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (t, fields) => {
          try {
            decodeControl(Buffer.from(JSON.stringify({ ...fields, t })));
          } catch (error) {
            expect(error).toBeInstanceOf(MuxProtocolError);
          }
        },
      ),
    );
  });
});
