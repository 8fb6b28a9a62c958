import { createHash } from "node:crypto";
import { defaultSettings, muxPair, type MuxPair } from "../__tests__/support/muxPair";
import { CloseCode, ResetCode } from "./codes";
import { decodeResponseHead, encodeOpen, encodeReset, encodeResponseHead, encodeWindow } from "./framePayloads";
import { encodeFrameHeader, flagEnd, FrameType } from "./frames";
import type { MuxStream } from "./muxStream";

const open = { bindId: 1, peer: "v:1", local: "l:2" };
const head = { method: "POST", target: "/", headers: [], bindId: 1, peer: "v", requestId: "r" };
const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) & 255);
const frameOf = (type: FrameType, streamId: number, payload: Uint8Array): Uint8Array =>
  Buffer.concat([encodeFrameHeader(type, 0, streamId, payload.length), payload]);
const sha = (pieces: readonly Uint8Array[]): string => createHash("sha256").update(Buffer.concat(pieces)).digest("hex");

/** Everything a stream received; consumes at once unless told to hold. */
function record(stream: MuxStream, { holds = false } = {}) {
  const log: string[] = [];
  const pieces: Uint8Array[] = [];
  stream.handler = {
    onHead: (payload) => log.push(`head ${decodeResponseHead(payload).status}`),
    onData(bytes) {
      pieces.push(bytes.slice());
      if (!holds) stream.consumed(bytes.length);
    },
    onTrailers: (trailers) => log.push(`trailers ${trailers.join("=")}`),
    onEnd: () => log.push("end"),
    onAccept: () => log.push("accept"),
    onReset: ({ code, reason }) => log.push(`reset ${code} ${reason}`),
  };
  return { log, pieces };
}

/** Writes all of it, at the pace the stream allows. */
function writeAll(stream: MuxStream, bytes: Uint8Array, pieceBytes = 16_384): void {
  let at = 0;
  const go = (): void => {
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + pieceBytes);
      at += piece.length;
      if (!stream.write(piece)) return;
    }
    stream.end();
  };
  const { handler } = stream;
  stream.handler = { ...handler, onDrain: go };
  go();
}

function opened(pair: MuxPair): MuxStream {
  const stream = pair.relay.session.openTcp(open);
  if (stream === undefined) throw new Error("No stream was opened.");
  return stream;
}

describe("a stream", () => {
  it.each([1, 7, 4096])(
    "a stream of a session carries 3 MB in both directions, in messages cut into pieces of %i bytes",
    (pieceBytes) => {
      const cut = (message: Uint8Array): Uint8Array[] =>
        Array.from({ length: Math.ceil(message.length / pieceBytes) }, (_, index) =>
          message.subarray(index * pieceBytes, (index + 1) * pieceBytes),
        );
      const size = pieceBytes === 1 ? 100_000 : 3_000_000;
      const sent = bytesOf(size);
      let arrived: ReturnType<typeof record> | undefined;
      const pair = muxPair(
        (stream) => {
          arrived = record(stream);
          stream.accept();
          writeAll(stream, sent);
        },
        {},
        cut,
      );
      const stream = opened(pair);
      const back = record(stream);
      writeAll(stream, sent);

      pair.clock.settle();

      expect(sha(back.pieces)).toBe(sha([sent]));
      expect(sha(arrived?.pieces ?? [])).toBe(sha([sent]));
      expect(back.log).toEqual(["accept", "end"]);
      expect([pair.relay.session.activeStreams, pair.driver.session.activeStreams]).toEqual([0, 0]);
      expect([pair.relay.session.heldBytes, pair.driver.session.heldBytes]).toEqual([0, 0]);
    },
  );

  it("a stream of a session answers a head with a head, a body and trailers", () => {
    const pair = muxPair((stream, opening) => {
      expect(opening).toMatchObject({ kind: "http", flags: flagEnd });
      stream.accept();
      stream.sendHead(encodeResponseHead({ status: 200, reason: "OK", headers: [] }));
      stream.write(bytesOf(10));
      stream.end(["x-sum", "1"]);
    });
    const stream = pair.relay.session.openHttp(head, flagEnd);
    const { log, pieces } = record(stream as MuxStream);

    pair.clock.settle();

    expect(log).toEqual(["accept", "head 200", "trailers x-sum=1", "end"]);
    expect(sha(pieces)).toBe(sha([bytesOf(10)]));
    expect(stream?.isClosed).toBe(true);
  });

  it("a stream of a session keeps one direction open after the other has ended", () => {
    let theirs: MuxStream | undefined;
    const pair = muxPair((stream) => {
      theirs = stream;
      record(stream);
    });
    const stream = opened(pair);
    const back = record(stream);
    stream.end();
    pair.clock.settle();

    theirs?.write(bytesOf(5));
    theirs?.end();
    pair.clock.settle();

    expect(back.log).toEqual(["end"]);
    expect(back.pieces.flatMap((piece) => [...piece])).toEqual([...bytesOf(5)]);
  });

  it("a stream of a session sends no more than the window to a peer that consumes nothing, and goes on when it does", () => {
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

  it("a stream of a session drops what was written and not sent when it is reset, and its peer learns why", () => {
    let theirs: ReturnType<typeof record> | undefined;
    const pair = muxPair((stream) => {
      theirs = record(stream);
    });
    const stream = opened(pair);
    pair.clock.settle();
    stream.write(bytesOf(50_000));
    stream.reset(ResetCode.CANCEL, "visitor left");
    pair.clock.settle();

    expect(theirs?.log).toEqual(["reset 0 visitor left"]);
    expect(theirs?.pieces).toEqual([]);
  });

  it("a stream of a session is not opened at all when it is reset before its opening was sent", () => {
    const seen: MuxStream[] = [];
    const pair = muxPair((stream) => void seen.push(stream));
    opened(pair).reset(ResetCode.CANCEL);
    const next = opened(pair);
    pair.clock.settle();

    expect(seen.map(({ id }) => id)).toEqual([next.id]);
  });

  it("a stream of a session gets its turn beside a stream that has much to send", () => {
    const order: number[] = [];
    const pair = muxPair((stream) => {
      stream.handler = {
        onData(bytes) {
          order.push(stream.id);
          stream.consumed(bytes.length);
        },
      };
    });
    const [large, small] = [opened(pair), opened(pair)];
    pair.clock.settle();
    writeAll(large, bytesOf(2_000_000), 65_536);
    small.write(bytesOf(10));
    pair.clock.settle();

    expect(order.indexOf(small.id)).toBeLessThanOrEqual(2);
  });
});

describe("windows", () => {
  it("windows of streams grow while they limit the sender, up to the budget of the session", () => {
    let theirs: MuxStream | undefined;
    const pair = muxPair(
      (stream) => {
        theirs = stream;
        record(stream);
      },
      { sessionBufferBytes: 1_048_576 },
    );
    // A round trip of 50 ms.
    pair.relay.link.ping();
    pair.driver.link.ping();
    pair.clock.sleep(50);
    pair.clock.settle();
    const stream = opened(pair);
    writeAll(stream, bytesOf(4_000_000));
    pair.clock.settle();

    expect(theirs?.isClosed).toBe(false);
    expect(pair.driver.session.heldBytes).toBe(0);
  });

  it("windows of streams that are passed cost the stream first, and the session the second time", () => {
    const pair = muxPair((stream) => void record(stream, { holds: true }), { windowBytes: 2_000 });
    const logs = [opened(pair), opened(pair)].map((stream) => record(stream).log);
    pair.clock.settle();
    const flood = (streamId: number): Uint8Array =>
      Buffer.concat([encodeFrameHeader(FrameType.DATA, 0, streamId, 3_000), bytesOf(3_000)]);

    pair.driver.link.receive(flood(1));
    pair.clock.settle();
    const afterFirst = [...pair.driver.failures];
    pair.driver.link.receive(flood(3));
    pair.clock.settle();

    expect(logs[0]).toEqual(["reset 6 More was sent than the window allows."]);
    expect(afterFirst).toEqual([]);
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

  it("windows of streams of many streams cannot hold more than the session may: the largest one is cut", () => {
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
});

describe("a session", () => {
  it("a session refuses streams past the limit of either side", () => {
    const pair = muxPair(() => {}, { maxStreams: 2 });

    expect([opened(pair).id, opened(pair).id, pair.relay.session.openTcp(open)]).toEqual([1, 3, undefined]);
    expect(pair.relay.session.openedTotal).toBe(2);
  });

  it("a session opens no stream after it said goodbye", () => {
    const pair = muxPair(() => {});
    pair.relay.session.goAway("SHUTDOWN", { drainMs: 30_000, reconnect: true, message: "restarting" });
    pair.clock.settle();

    expect(pair.relay.session.openTcp(open)).toBeUndefined();
    expect(pair.driver.controls).toEqual([
      { t: "GOAWAY", code: "SHUTDOWN", lastStreamId: 0, drainMs: 30_000, reconnect: true, message: "restarting" },
    ]);
  });

  it("a session keeps its streams on the link they began on, and loses those of a link that is lost", () => {
    const pair = muxPair((stream) => void record(stream));
    const wire = { send() {}, queuedBytes: 0, close() {}, destroy() {} };
    const second = pair.relay.session.attach(wire);
    const logs = Array.from({ length: 4 }, () => record(opened(pair)).log);

    pair.relay.session.linkLost(second);

    expect(logs.map((log) => log[0])).toEqual([
      undefined,
      "reset 1 The link was lost.",
      undefined,
      "reset 1 The link was lost.",
    ]);
    expect(pair.relay.session.links).toHaveLength(1);
  });

  it("a session loses all streams and links with the primary link", () => {
    const pair = muxPair((stream) => void record(stream));
    const closed: number[] = [];
    pair.relay.session.attach({ send() {}, queuedBytes: 0, close: (code) => void closed.push(code), destroy() {} });
    const logs = Array.from({ length: 2 }, () => record(opened(pair)).log);

    pair.relay.session.linkLost(pair.relay.link);

    expect(logs).toEqual([["reset 1 The link was lost."], ["reset 1 The link was lost."]]);
    expect([pair.relay.session.activeStreams, pair.relay.session.links.length, closed]).toEqual([
      0,
      0,
      [CloseCode.GOING_AWAY],
    ]);
  });

  it("a session pings a silent peer, and gives it up after a minute", () => {
    const pair = muxPair(() => {});
    pair.clock.advance(15_000);
    expect(pair.relay.link.rttMs).toBe(0);

    pair.driver.wire.target = undefined;
    pair.clock.advance(59_000);
    const before = [...pair.relay.failures];
    pair.clock.advance(2_000);

    expect(before).toEqual([]);
    expect(pair.relay.failures).toMatchObject([{ code: "IDLE_TIMEOUT", closeCode: CloseCode.IDLE_TIMEOUT }]);
  });

  it("a session asks once more before it gives a peer up when the machine has slept", () => {
    const pair = muxPair(() => {});
    pair.clock.sleep(600_000);
    pair.clock.advance(10_000);

    expect([...pair.relay.failures, ...pair.driver.failures]).toEqual([]);
  });

  it("a session ends when control messages flood it", () => {
    const pair = muxPair(() => {});
    for (let req = 0; req < 201; req++) pair.driver.session.send({ t: "UNBIND", req, bindId: 1 });
    pair.clock.settle();

    expect(pair.relay.controls).toHaveLength(200);
    expect(pair.relay.failures).toMatchObject([{ code: "ENHANCE_CALM", closeCode: CloseCode.ENHANCE_CALM }]);
  });

  it("a session ends when its peer reads nothing of what it must be told", () => {
    const pair = muxPair(() => {});
    pair.relay.wire.isBlocked = true;
    const ping = Buffer.concat([encodeFrameHeader(FrameType.PING, 0, 0, 8), Buffer.alloc(8)]);
    for (let count = 0; count < 4097; count++) pair.relay.link.receive(ping);

    expect(pair.relay.failures).toMatchObject([{ code: "ENHANCE_CALM" }]);
  });

  it("a session of a relay whose visitors leave at once for ten seconds takes 200 of them per second, and never ends", () => {
    const pair = muxPair(() => {});
    const openAndReset = (times: number): number => {
      let count = 0;
      for (let time = 0; time < times; time++) {
        const stream = pair.relay.session.openTcp(open);
        pair.clock.settle();
        stream?.reset(ResetCode.CANCEL);
        pair.clock.settle();
        if (stream !== undefined) count += 1;
      }
      return count;
    };

    expect(openAndReset(4_000)).toBe(2_000);
    pair.clock.advance(1_000);
    expect(openAndReset(4_000)).toBe(200);
    expect([...pair.relay.failures, ...pair.driver.failures]).toEqual([]);
  });

  it("a session of a driver ends when its relay opens and resets more streams than visitors could", () => {
    const pair = muxPair(() => {});
    const payload = encodeReset({ code: ResetCode.CANCEL, receivedTotal: 0, reason: "" });
    for (let id = 1; id < 2 * 7_100; id += 2) {
      pair.driver.link.receive(frameOf(FrameType.OPEN, id, encodeOpen(open)));
      pair.driver.link.receive(frameOf(FrameType.RESET, id, payload));
    }

    expect(pair.driver.failures).toMatchObject([{ code: "ENHANCE_CALM" }]);
  });

  it("a session that has used up its stream ids says ROLLOVER, closes with its last stream, and begins with 1 again", () => {
    const pair = muxPair((stream) => void record(stream));
    pair.relay.session.agree(defaultSettings, 0x7fffffff);
    const last = opened(pair);
    const back = record(last);
    writeAll(last, bytesOf(300_000));
    const refused = pair.relay.session.openTcp(open);
    pair.clock.settle();
    const before = pair.relay.wire.closed;
    pair.relay.link.receive(encodeFrameHeader(FrameType.DATA, flagEnd, 0x7fffffff, 0));
    pair.clock.settle();

    expect([last.id, refused, before]).toEqual([0x7fffffff, undefined, undefined]);
    expect(pair.driver.controls).toMatchObject([{ t: "GOAWAY", code: "ROLLOVER", reconnect: true }]);
    expect(back.log).toEqual(["end"]);
    expect(pair.relay.wire.closed).toMatchObject({ code: CloseCode.DRAINED });
    expect(pair.relay.session.isOver).toBe(true);
    expect(pair.relay.session.nextFirstStreamId).toBe(1);
  });

  it("a session that is retired cuts the streams that take longer than it may", () => {
    const pair = muxPair((stream) => void record(stream));
    const { log } = record(opened(pair));
    pair.relay.session.retire("ADMIN_KILL", CloseCode.ADMIN_KILL, { drainMs: 1_000 });
    pair.clock.advance(999);
    const before = [...log];
    pair.clock.advance(1);

    expect(before).toEqual([]);
    expect(log).toEqual(["reset 1 The session has ended."]);
    expect(pair.relay.wire.closed).toMatchObject({ code: CloseCode.ADMIN_KILL });
  });

  it.each([
    ["a stream that was never opened", encodeFrameHeader(FrameType.ACCEPT, 0, 99, 0)],
    ["a stream of an even id", encodeFrameHeader(FrameType.OPEN, 0, 2, 0)],
    ["an OPEN to the relay", encodeFrameHeader(FrameType.OPEN, 0, 101, 0)],
  ])("a session ends at %s", (_name, frame) => {
    const pair = muxPair(() => {});
    pair.relay.link.receive(frame);

    expect(pair.relay.failures).toMatchObject([{ code: "PROTOCOL_ERROR", closeCode: CloseCode.PROTOCOL_ERROR }]);
  });

  it("a session ignores late frames of streams that are over", () => {
    const pair = muxPair(() => {});
    opened(pair).reset(ResetCode.CANCEL);
    const kept = opened(pair);
    pair.clock.settle();
    kept.reset(ResetCode.CANCEL);
    pair.clock.settle();

    pair.relay.link.receive(encodeFrameHeader(FrameType.DATA, 0, 1, 0));
    pair.relay.link.receive(encodeFrameHeader(FrameType.ACCEPT, 0, 3, 0));

    expect(pair.relay.failures).toEqual([]);
  });

  it("a session pauses sources while its connection takes nothing, and goes on when it does", () => {
    let received = 0;
    const pair = muxPair(
      (stream) => {
        stream.handler = {
          onData(bytes) {
            received += bytes.length;
            stream.consumed(bytes.length);
          },
        };
      },
      { windowBytes: 4_194_304 },
    );
    const stream = opened(pair);
    pair.clock.settle();
    pair.relay.wire.isBlocked = true;
    writeAll(stream, bytesOf(3_000_000), 65_536);
    pair.clock.settle();
    const queuedBytes = pair.relay.wire.queuedBytes;
    pair.relay.wire.unblock(pair.relay.link);
    pair.clock.settle();

    expect(queuedBytes).toBeLessThan(1_500_000);
    expect(received).toBe(3_000_000);
  });
});
