import { defaultSettings, muxPair } from "../__tests__/support/muxPair";
import { bytesOf, frameOf, head, opened, openedHttp, record, sha, writeAll } from "../__tests__/support/muxStreams";
import { ResetCode } from "./codes";
import { encodeResponseHead } from "./framePayloads";
import { FrameReader, FrameType, type Frame } from "./frames";
import type { MuxStream } from "./muxStream";

/** What a link sent, as a peer reads it that takes frames of no more than `maxFrameBytes`. */
function readAs(maxFrameBytes: number, messages: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(maxFrameBytes, (frame) => frames.push(frame));
  for (const message of messages) reader.push(message);
  return frames;
}

describe("a link", () => {
  it("a link puts no more than 512 KiB into one message, however many heads are sent at a time", () => {
    const seen: MuxStream[] = [];
    const pair = muxPair((stream) => void seen.push(stream));
    const headers = ["x-large", "x".repeat(30_000)];
    for (let count = 0; count < 60; count++) openedHttp(pair, { headers });
    pair.clock.settle();

    const sizes = pair.relay.wire.messages.map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(524_288);
    expect(sizes.length).toBeGreaterThan(3);
    expect([seen.length, pair.driver.failures]).toEqual([60, []]);
  });

  it("a link puts no more than 512 KiB into its last messages, when it closes with much to say", () => {
    const pair = muxPair(() => {});
    for (let count = 0; count < 60; count++) openedHttp(pair, { headers: ["x-large", "x".repeat(30_000)] });
    pair.relay.session.close(1001);

    expect(Math.max(...pair.relay.wire.messages.map(({ length }) => length))).toBeLessThanOrEqual(524_288);
  });

  it("a link sends frames of the size that was agreed on after it was attached", () => {
    let arrived: ReturnType<typeof record> | undefined;
    const pair = muxPair((stream) => void (arrived = record(stream)));
    for (const { session } of [pair.relay, pair.driver]) session.agree({ ...defaultSettings, maxFrameBytes: 4_096 });
    writeAll(opened(pair), bytesOf(100_000));
    pair.clock.settle();

    const frames = readAs(4_096, pair.relay.wire.messages);
    expect(frames.filter(({ type }) => type === FrameType.DATA)).toHaveLength(25);
    expect(sha(arrived?.pieces ?? [])).toBe(sha([bytesOf(100_000)]));
  });

  it("a link takes no larger frames than were agreed on, control messages excepted", () => {
    const pair = muxPair(() => {});
    pair.relay.session.agree({ ...defaultSettings, maxFrameBytes: 4_096 });
    const unbind = JSON.stringify({ t: "UNBIND", req: 1, bindId: 1, padding: "x".repeat(60_000) });
    pair.relay.link.receive(frameOf(FrameType.CONTROL, 0, 0, unbind));
    const before = [...pair.relay.failures];
    pair.relay.link.receive(frameOf(FrameType.EXTENSION, 0, 0, bytesOf(4_097)));

    expect([before, pair.relay.controls]).toEqual([[], [{ t: "UNBIND", req: 1, bindId: 1 }]]);
    expect(pair.relay.failures).toMatchObject([{ code: "PROTOCOL_ERROR", closeCode: 1002 }]);
  });

  it("a link that joins a session keeps to the size of frames of that session", () => {
    const pair = muxPair(() => {});
    const { session } = pair.relay;
    session.agree({ ...defaultSettings, maxFrameBytes: 4_096 });
    const { relay: other } = muxPair(() => {});
    session.adopt(other.link);

    expect(other.link.maxFrameBytes).toBe(4_096);
  });

  it("a link opens no stream for a head that no frame can hold, and cuts a stream whose answer no frame can hold", () => {
    const pair = muxPair((stream) =>
      stream.sendHead(encodeResponseHead({ status: 200, reason: "", headers: ["a", "x".repeat(70_000)] })),
    );
    const large = pair.relay.session.openHttp({ ...head, headers: ["a", "x".repeat(70_000)] }, 0);
    const { log } = record(openedHttp(pair));
    pair.clock.settle();

    expect([large, log]).toEqual(["tooLarge", ["reset 13 The head is larger than a frame."]]);
    expect([pair.relay.failures, pair.driver.failures]).toEqual([[], []]);
  });

  it("a link ends a body without the trailers that no frame can hold", () => {
    const pair = muxPair((stream) => {
      stream.sendHead(encodeResponseHead({ status: 200, reason: "", headers: [] }));
      stream.end(["x-sum", "x".repeat(70_000)]);
    });
    const { log } = record(openedHttp(pair));
    pair.clock.settle();

    expect([log, pair.relay.failures]).toEqual([["head 200", "end"], []]);
  });

  it("a link measures its round trip with its first stream, in both directions", () => {
    const pair = muxPair(() => {}, {}, undefined, 25);
    opened(pair);
    pair.clock.advance(200);

    expect([pair.relay.link.minRttMs, pair.driver.link.minRttMs]).toEqual([50, 50]);
  });

  it("a link learns nothing from a reply to a PING that it did not send, or that it sent before another", () => {
    const pair = muxPair(() => {});
    pair.driver.wire.target = undefined;
    pair.clock.sleep(1_000);
    pair.relay.link.receive(frameOf(FrameType.PING, 1, 0, Buffer.alloc(8, 7)));
    pair.relay.link.ping();
    pair.relay.link.ping();
    pair.relay.link.receive(frameOf(FrameType.PING, 1, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])));

    expect([pair.relay.link.rttMs, pair.relay.failures]).toEqual([undefined, []]);
  });

  it("a stream that is over keeps nothing of what it was joined to, since V8 may keep the stream for long", () => {
    const pair = muxPair((stream) => stream.accept());
    const stream = opened(pair);
    stream.handler = { onData() {} };
    pair.clock.settle();

    stream.reset(ResetCode.CANCEL);

    expect(Object.keys(stream.handler)).toEqual([]);
  });

  it("a link takes no more streams while half of what it may queue waits, and the session goes on", () => {
    const pair = muxPair(() => {});
    pair.relay.wire.queuedBytes = 8_388_609;
    const refused = pair.relay.session.openHttp(head, 0);
    pair.relay.wire.queuedBytes = 0;

    expect(refused).toBeUndefined();
    expect(opened(pair).id).toBe(1);
  });

  it("a link counts streams against the flood of early resets only when the side that opened them resets", () => {
    const pair = muxPair((stream) => stream.reset(ResetCode.REFUSED));
    for (let count = 0; count < 2_100; count++) {
      opened(pair);
      pair.clock.settle();
    }

    expect([pair.relay.session.isThrottled, pair.relay.failures, pair.driver.failures]).toEqual([false, [], []]);
  });
});
