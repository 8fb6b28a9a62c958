import { defaultSettings, muxPair } from "../__tests__/support/muxPair";
import { bytesOf, frameOf, head, open, opened, record, sha, writeAll } from "../__tests__/support/muxStreams";
import { ownSettings } from "../node/relay/driver/greet";
import { CloseCode, ResetCode } from "./codes";
import { encodeOpen, encodeReset, encodeResponseHead } from "./framePayloads";
import { encodeFrameHeader, flagEnd, FrameType } from "./frames";
import type { MuxStream } from "./muxStream";

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
    const stream = pair.relay.session.openHttp(head, flagEnd) as MuxStream;
    const { log, pieces } = record(stream);

    pair.clock.settle();

    expect(log).toEqual(["accept", "head 200", "trailers x-sum=1", "end"]);
    expect(sha(pieces)).toBe(sha([bytesOf(10)]));
    expect(stream.isClosed).toBe(true);
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

  it("a session of a driver pings after 10 s of silence, and gives its relay up after 20, without a goodbye that waits", () => {
    const pair = muxPair(() => {}, { pingMs: ownSettings.pingMs, deadMs: ownSettings.deadMs });
    const isPing = (message: Uint8Array): boolean => ((message[0] as number) & 0x0f) === FrameType.PING;
    const pings = (): number => pair.driver.wire.messages.filter(isPing).length;
    // The way to the driver is lost; what it sends still arrives.
    pair.relay.wire.target = undefined;
    pair.clock.advance(9_999);
    const early = pings();
    pair.clock.advance(1);
    const asked = pings();
    pair.clock.advance(9_999);
    const before = [...pair.driver.failures];
    pair.clock.advance(1);

    expect([early, asked, before]).toEqual([0, 1, []]);
    expect(pair.driver.failures).toMatchObject([{ code: "IDLE_TIMEOUT", closeCode: undefined }]);
    expect(pair.driver.wire.closed).toEqual({});
    expect(pair.relay.failures).toEqual([]);
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

  it("a session ends when its peer asks for replies and reads none, also when they have left in the meantime", () => {
    const pair = muxPair(() => {}, { maxControlFrames: 100 });
    pair.relay.wire.isBlocked = true;
    const ping = Buffer.concat([encodeFrameHeader(FrameType.PING, 0, 0, 8), Buffer.alloc(8)]);
    const send = (times: number): void => {
      for (let count = 0; count < times; count++) {
        pair.relay.link.receive(ping);
        pair.clock.settle();
      }
    };
    send(100);
    const before = [...pair.relay.failures];
    pair.relay.wire.unblock(pair.relay.link);
    pair.clock.settle();
    send(500);
    const whileItReads = [...pair.relay.failures];
    pair.relay.wire.isBlocked = true;
    send(101);

    expect([before, whileItReads]).toEqual([[], []]);
    expect(pair.relay.failures).toMatchObject([{ code: "ENHANCE_CALM", closeCode: CloseCode.ENHANCE_CALM }]);
  });

  it("a session goes on when thousands of visitors leave at the same moment", () => {
    const pair = muxPair((stream) => void stream.accept(), { maxStreams: 4_096, maxControlFrames: 100 });
    const streams = Array.from({ length: 4_096 }, () => opened(pair));
    pair.clock.settle();
    for (const stream of streams)
      stream.reset(ResetCode.CANCEL, "The visitor left, for a reason that takes some words.");
    pair.clock.settle();

    expect([...pair.relay.failures, ...pair.driver.failures]).toEqual([]);
    expect([pair.relay.session.activeStreams, pair.driver.session.activeStreams]).toEqual([0, 0]);
  });

  it("a session ends when more waits for its peer than may", () => {
    const pair = muxPair(() => {}, { congestedBytes: 10_000, maxQueuedBytes: 20_000 });
    pair.relay.wire.isBlocked = true;
    pair.relay.wire.queuedBytes = 20_000;
    pair.clock.settle();
    const before = [...pair.relay.failures];
    pair.relay.session.send({ t: "UNBIND_OK", req: 1 });
    pair.clock.settle();

    expect(before).toEqual([]);
    expect(pair.relay.failures).toMatchObject([{ code: "ENHANCE_CALM", closeCode: CloseCode.ENHANCE_CALM }]);
  });

  it("a session pauses its sources at the limit of its connection, and takes control messages at the rate it is given", () => {
    const pair = muxPair(() => {}, { congestedBytes: 10_000, controlRate: 1, controlBurst: 2 });
    const stream = opened(pair);
    pair.relay.wire.queuedBytes = 10_001;
    const isPaused = !stream.write(bytesOf(10));
    for (let req = 0; req < 3; req++) pair.driver.session.send({ t: "UNBIND", req, bindId: 1 });
    pair.clock.settle();

    expect(isPaused).toBe(true);
    expect(pair.relay.controls).toHaveLength(2);
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
      pair.driver.link.receive(frameOf(FrameType.OPEN, 0, id, encodeOpen(open)));
      pair.driver.link.receive(frameOf(FrameType.RESET, 0, id, payload));
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
