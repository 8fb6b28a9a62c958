import { muxPair, type MuxSide } from "../__tests__/support/muxPair";
import { bytesOf, frameOf, opened, record, sha, writeAll } from "../__tests__/support/muxStreams";
import { CloseCode } from "./codes";
import { ReceiveWindow, SendCredit, WindowBudget } from "./credit";
import { decodeWindow, encodeWindow } from "./framePayloads";
import { encodeFrameHeader, FrameReader, FrameType, type Frame } from "./frames";
import { MuxProtocolError } from "./protocolError";
import type { MuxStream } from "./muxStream";

const windowOf = (windowBytes = 1_000, maxWindowBytes = 8_000, budget = new WindowBudget(1_000_000)) =>
  new ReceiveWindow({ windowBytes, maxWindowBytes, budget }, 0);

/** The frames that a side has sent. */
function framesOf({ wire }: MuxSide): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(262_144, (frame) => frames.push(frame));
  for (const message of wire.messages) reader.push(message);
  return frames;
}

describe("credit", () => {
  it("credit is what the peer announced beyond what it took, less what was sent", () => {
    const credit = new SendCredit(1_000);
    credit.spend(700);

    expect(credit.availableBytes).toBe(300);
    expect(credit.update({ consumedTotal: 600, windowBytes: 1_000 })).toBe(true);
    expect(credit.availableBytes).toBe(900);
  });

  it("credit is not changed by an announcement that is repeated, or older than another", () => {
    const credit = new SendCredit(1_000);
    credit.spend(1_000);
    credit.update({ consumedTotal: 500, windowBytes: 1_000 });

    expect(credit.update({ consumedTotal: 500, windowBytes: 1_000 })).toBe(false);
    expect(credit.update({ consumedTotal: 400, windowBytes: 9_000 })).toBe(false);
    expect(credit.availableBytes).toBe(500);
  });

  it("credit is none, and not less, when the peer shrinks its window below what is on the way", () => {
    const credit = new SendCredit(1_000);
    credit.spend(900);

    expect(credit.update({ consumedTotal: 0, windowBytes: 100 })).toBe(false);
    expect(credit.availableBytes).toBe(0);
  });

  it("credit cannot be given for bytes that were never sent", () => {
    expect(() => new SendCredit(1_000).update({ consumedTotal: 1, windowBytes: 1_000 })).toThrow(MuxProtocolError);
  });
});

describe("a receive window", () => {
  it("a receive window is announced once half of it was consumed, with all that was", () => {
    const window = windowOf();
    window.receive(1_000);

    expect(window.consume(499, 1, undefined)).toBeUndefined();
    expect(window.consume(1, 2, undefined)).toEqual({ consumedTotal: 500, windowBytes: 1_000 });
    expect(window.receive(500)).toBe(true);
    expect(window.receive(1)).toBe(false);
    expect(window.heldBytes).toBe(1_000);
  });

  it("a receive window doubles when half of it was consumed in less than two round trips, up to its limit", () => {
    const window = windowOf(1_000, 3_000);
    const announced = [90, 180, 270].map((nowMs) => {
      window.receive(window.windowBytes);
      return window.consume(window.heldBytes, nowMs, 50)?.windowBytes;
    });

    expect(announced).toEqual([2_000, 3_000, 3_000]);
  });

  it("a receive window stays as it is while the destination is what is slow, or no round trip is known", () => {
    const [slow, unknown] = [windowOf(), windowOf()];
    for (const window of [slow, unknown]) window.receive(1_000);

    expect(slow.consume(1_000, 100, 50)?.windowBytes).toBe(1_000);
    expect(unknown.consume(1_000, 1, undefined)?.windowBytes).toBe(1_000);
  });

  it("a receive window does not grow past the budget of its session, and gives back what it had", () => {
    const budget = new WindowBudget(3_500);
    const [first, second] = [windowOf(1_000, 8_000, budget), windowOf(1_000, 8_000, budget)];
    const grow = (window: ReceiveWindow): number | undefined => {
      window.receive(window.windowBytes);
      return window.consume(window.heldBytes, 0, 50)?.windowBytes;
    };

    expect([grow(first), grow(second)]).toEqual([2_000, 1_000]);
    first.release();
    expect([budget.grantedBytes, grow(second)]).toEqual([1_000, 2_000]);
  });

  it("a receive window charges a small frame for its place in a queue, until it was consumed", () => {
    const window = windowOf();
    for (let count = 0; count < 100; count++) window.receive(1);

    expect([window.heldBytes, window.chargedBytes]).toEqual([100, 25_600]);
    window.consume(50, 0, undefined);
    expect(window.chargedBytes).toBe(12_800);
    window.consume(50, 0, undefined);
    expect(window.chargedBytes).toBe(0);
  });
});

describe("windows", () => {
  it("windows of streams that are passed cost the stream first, and the session the second time", () => {
    const pair = muxPair((stream) => void record(stream, { holds: true }), { windowBytes: 2_000 });
    const logs = [opened(pair), opened(pair)].map((stream) => record(stream).log);
    pair.clock.settle();
    const flood = (streamId: number): Uint8Array =>
      Buffer.concat([encodeFrameHeader(FrameType.DATA, 0, streamId, 3_000), bytesOf(3_000)]);

    pair.driver.link.receive(flood(1));
    pair.clock.settle();
    const afterFirst = [...pair.driver.failures];
    const heldAfterFirst = pair.driver.session.heldBytes;
    pair.driver.link.receive(flood(3));
    pair.clock.settle();

    expect(logs[0]).toEqual(["reset 6 More was sent than the window allows."]);
    expect([afterFirst, heldAfterFirst]).toEqual([[], 0]);
    expect(pair.driver.failures).toMatchObject([{ code: "PROTOCOL_ERROR", closeCode: CloseCode.PROTOCOL_ERROR }]);
  });

  it("windows of streams that take more than was sent end the session", () => {
    const pair = muxPair((stream) => void record(stream));
    opened(pair);
    pair.clock.settle();
    const payload = encodeWindow({ consumedTotal: 1, windowBytes: 10 });

    pair.relay.link.receive(Buffer.concat([encodeFrameHeader(FrameType.WINDOW, 0, 1, payload.length), payload]));

    expect(pair.relay.failures).toMatchObject([{ code: "PROTOCOL_ERROR" }]);
  });

  it("windows of many streams cannot hold more than the session may: the largest one is cut", () => {
    const pair = muxPair((stream) => void record(stream, { holds: true }), {
      windowBytes: 100_000,
      sessionBufferBytes: 250_000,
    });
    const streams = [40_000, 100_000, 60_000, 90_000].map((size) => {
      const stream = opened(pair);
      const { log } = record(stream);
      writeAll(stream, bytesOf(size));
      pair.clock.settle();
      return log;
    });

    expect(streams).toEqual([[], ["reset 12 The session holds too many bytes."], [], []]);
    expect(pair.driver.session.heldBytes).toBe(190_000);
  });

  it("windows of streams send no more than was granted to a peer that consumes nothing, and go on when it does", () => {
    let theirs: { stream: MuxStream; pieces: Uint8Array[] } | undefined;
    const pair = muxPair((stream) => {
      theirs = { stream, pieces: record(stream, { holds: true }).pieces };
    });
    const stream = opened(pair);
    const sent = bytesOf(1_000_000);
    writeAll(stream, sent);
    pair.clock.settle();
    const heldFirst = pair.driver.session.heldBytes;

    while (theirs !== undefined && theirs.stream.heldBytes > 0) {
      theirs.stream.consumed(100_000);
      pair.clock.settle();
    }

    expect(heldFirst).toBe(262_144);
    expect(sha(theirs?.pieces ?? [])).toBe(sha([sent]));
  });

  it("windows of many streams cannot be filled with small frames beyond what the session may hold", () => {
    const pair = muxPair((stream) => void record(stream, { holds: true }), { sessionBufferBytes: 250_000 });
    const { log } = record(opened(pair));
    pair.clock.settle();
    for (let count = 0; count < 2_000; count++) pair.driver.link.receive(frameOf(FrameType.DATA, 0, 1, "x"));
    pair.clock.settle();

    expect(log).toEqual(["reset 12 The session holds too many bytes."]);
    expect([pair.driver.session.heldBytes, pair.driver.failures]).toEqual([0, []]);
  });

  /** How long 16 MB take with a round trip of 50 ms, in ms of the injected clock, and the windows that were announced. */
  function transfer(settings: Parameters<typeof muxPair>[1]) {
    let received: { readonly log: readonly string[] } | undefined;
    const pair = muxPair((stream) => void (received = record(stream)), settings, undefined, 25);
    writeAll(opened(pair), new Uint8Array(16_000_000), 65_536);
    while (received?.log.includes("end") !== true) pair.clock.advance(5);
    const windows = framesOf(pair.driver)
      .filter(({ type }) => type === FrameType.WINDOW)
      .map(({ payload }) => decodeWindow(payload).windowBytes);
    return { ms: pair.clock.now(), windows };
  }

  it("windows of streams grow over a long round trip to 8 MiB, so that they limit the sender no more", () => {
    const fixed = transfer({ maxWindowBytes: 262_144 });
    const tuned = transfer({});

    expect(Math.max(...fixed.windows)).toBe(262_144);
    expect(Math.max(...tuned.windows)).toBe(8_388_608);
    expect(fixed.ms).toBeGreaterThan(3_000);
    expect(tuned.ms).toBeLessThan(600);
  });

  it("windows of streams grow no further than the buffer of their session allows", () => {
    const { windows } = transfer({ sessionBufferBytes: 1_500_000 });

    expect(Math.max(...windows)).toBe(1_048_576);
  });
});

describe("ready streams", () => {
  /** The streams that data arrived on, frame by frame. */
  function arrivals(sizes: readonly number[]) {
    const order: number[] = [];
    const pair = muxPair((stream) => {
      stream.handler = {
        onData(bytes) {
          order.push(stream.id);
          stream.consumed(bytes.length);
        },
      };
    });
    const streams = sizes.map(() => opened(pair));
    pair.clock.settle();
    streams.forEach((stream, index) => writeAll(stream, bytesOf(sizes[index] as number), 65_536));
    pair.clock.settle();
    return order;
  }

  it("ready streams get their turn beside a stream that has much to send", () => {
    expect(arrivals([2_000_000, 10]).indexOf(3)).toBeLessThanOrEqual(2);
  });

  it("ready streams of equal size send one frame each in turn, and end within one turn of each other", () => {
    const order = arrivals([500_000, 500_000, 500_000, 500_000]);
    const leads = order.map((_, index) => {
      const sent = [1, 3, 5, 7].map((id) => order.slice(0, index + 1).filter((each) => each === id).length);
      return Math.max(...sent) - Math.min(...sent);
    });

    expect(order.length).toBeGreaterThanOrEqual(32);
    expect(Math.max(...leads)).toBe(1);
  });

  it("ready streams wait for no stream whose window is used up", () => {
    const order: number[] = [];
    const pair = muxPair((stream) => {
      stream.handler = {
        onData(bytes) {
          order.push(stream.id);
          if (stream.id !== 1) stream.consumed(bytes.length);
        },
      };
    });
    const [stalled, other] = [opened(pair), opened(pair)];
    writeAll(stalled, bytesOf(1_000_000));
    pair.clock.settle();
    writeAll(other, bytesOf(1_000_000));
    pair.clock.settle();

    expect(pair.driver.session.heldBytes).toBe(262_144);
    expect([other.isClosed, order.filter((id) => id === 3).length > 10]).toEqual([false, true]);
    expect(framesOf(pair.relay).filter(({ streamId, flags }) => streamId === 3 && flags === 1)).toHaveLength(1);
  });

  it("control frames leave before data that was ready earlier", () => {
    const pair = muxPair((stream) => void record(stream));
    const stream = opened(pair);
    pair.clock.settle();
    stream.write(bytesOf(10));
    pair.relay.session.send({ t: "UNBIND_OK", req: 1 });
    pair.clock.settle();

    expect(framesOf(pair.relay).map(({ type }) => type)).toEqual([
      FrameType.PING,
      FrameType.OPEN,
      FrameType.PING,
      FrameType.CONTROL,
      FrameType.DATA,
    ]);
  });
});
