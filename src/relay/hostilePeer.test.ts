import fc from "fast-check";
import { muxPair } from "../__tests__/support/muxPair";
import { frameOf, open } from "../__tests__/support/muxStreams";
import { ResetCode } from "./codes";
import { encodeOpen, encodeReset, encodeWindow } from "./framePayloads";
import { encodeFrameHeader, FrameType } from "./frames";

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
});

describe("a flood", () => {
  const repeated = (frame: Buffer, count: number): Buffer => Buffer.concat(Array<Buffer>(count).fill(frame));
  const reset = encodeReset({ code: ResetCode.CANCEL, receivedTotal: 0, reason: "" });
  const opening = encodeOpen(open);

  it("a flood of 100,000 late resets, windows and accepts keeps nothing, and costs nothing", () => {
    const { session, link, wire, failures, clock } = victim("relay");
    [...link.streams].forEach((stream) => stream.reset(ResetCode.CANCEL));
    clock.settle();
    const sentBefore = wire.sentBytes;
    const late = [
      frameOf(FrameType.RESET, 0, 1, reset),
      frameOf(FrameType.WINDOW, 0, 1, encodeWindow({ consumedTotal: 0, windowBytes: 9 })),
      frameOf(FrameType.ACCEPT, 0, 1),
    ];
    for (let round = 0; round < 100; round++) link.receive(repeated(Buffer.concat(late), 1_000));
    clock.settle();

    expect([session.activeStreams, session.heldBytes, failures, wire.sentBytes - sentBefore]).toEqual([0, 0, [], 0]);
  });

  it("a flood of 100,000 streams that are opened and reset ends the session of the driver, with nothing left", () => {
    const { session, link, wire, failures, clock } = victim("driver");
    for (let id = 101; id < 200_101; id += 2) {
      link.receive(Buffer.concat([frameOf(FrameType.OPEN, 0, id, opening), frameOf(FrameType.RESET, 0, id, reset)]));
    }
    clock.settle();

    expect(failures).toMatchObject([{ code: "ENHANCE_CALM", closeCode: 4002 }]);
    expect([session.activeStreams, session.heldBytes]).toEqual([0, 0]);
    expect(wire.sentBytes).toBeLessThan(10_000);
  });

  it("a flood of openings never makes a driver hold more streams than it allows", () => {
    const pair = muxPair(() => {}, { maxStreams: 10 });
    for (let id = 1; id < 2_001; id += 2) {
      pair.driver.link.receive(frameOf(FrameType.OPEN, 0, id, opening));
      expect(pair.driver.session.activeStreams).toBeLessThanOrEqual(10);
    }
    pair.clock.settle();

    expect(pair.driver.failures).toEqual([]);
  });

  it.each([
    ["pings", frameOf(FrameType.PING, 0, 0, Buffer.alloc(8)), "ENHANCE_CALM"],
    ["control messages of no known type", frameOf(FrameType.CONTROL, 0, 0, '{"t":"X"}'), "ENHANCE_CALM"],
    [
      "control messages of 64 KiB that nest deeply",
      frameOf(FrameType.CONTROL, 0, 0, `{"t":"X","x":${"[".repeat(32_000)}${"]".repeat(32_000)}}`),
      "ENHANCE_CALM",
    ],
    ["data without bytes", frameOf(FrameType.DATA, 0, 1), undefined],
    ["extensions", frameOf(FrameType.EXTENSION, 15, 7, Buffer.alloc(100)), undefined],
  ])("a flood of %s in one message ends the session or costs nothing", (_name, frame, code) => {
    const { session, link, wire, failures, clock } = victim("relay");
    link.receive(repeated(frame, Math.min(8_000, Math.ceil(16_000_000 / frame.length))));
    clock.settle();

    expect(failures.map((failure) => failure.code)).toEqual(code === undefined ? [] : [code]);
    expect([session.heldBytes, wire.sentBytes < 100_000]).toEqual([0, true]);
  });
});

describe("one frame", () => {
  const header = (hex: string): Buffer => Buffer.from(hex, "hex");

  it.each([
    ["that says it has 16 MiB", header("00ffffff00000001")],
    ["of one byte more than was agreed on", header("0001000100000001")],
    ["of a control message over 64 KiB", header("0701000100000000")],
    ["whose reserved bit is set", header("0000000080000001")],
    ["of the reserved type SYNC", header("0900000000000001")],
    ["of the reserved type DATAGRAM", header("0a00000000000001")],
    ["of an unknown type", header("0e00000000000001")],
    ["of data for the session", header("0000000000000000")],
    ["of a PING for a stream", header("0600000800000001")],
    ["of a stream id that was used before", frameOf(FrameType.OPEN, 0, 1, encodeOpen(open))],
    ["of a PING that is too short", frameOf(FrameType.PING, 0, 0, "1234567")],
    ["of a WINDOW past 2^53", frameOf(FrameType.WINDOW, 0, 1, Buffer.alloc(12, 0xff))],
    ["of a RESET without a code", frameOf(FrameType.RESET, 0, 1, "")],
    ["of a RESET with a long reason", frameOf(FrameType.RESET, 0, 1, Buffer.alloc(300))],
  ])("one frame %s ends the session with 1002, as soon as its header is there", (_name, frame) => {
    const { session, link, wire, failures } = victim("driver");
    link.receive(frame);

    expect(failures).toMatchObject([{ code: "PROTOCOL_ERROR", closeCode: 1002 }]);
    expect([wire.closed?.code, session.activeStreams, session.links.length]).toEqual([1002, 0, 0]);
  });

  it("one frame after the one that ended the session is not looked at", () => {
    const { link, failures, controls } = victim("relay");
    link.receive(
      Buffer.concat([header("0e00000000000001"), frameOf(FrameType.CONTROL, 0, 0, '{"t":"UNBIND_OK","req":1}')]),
    );
    link.receive(frameOf(FrameType.CONTROL, 0, 0, '{"t":"UNBIND_OK","req":1}'));

    expect([failures.length, controls]).toEqual([1, []]);
  });
});
