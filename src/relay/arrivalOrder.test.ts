import { muxPair } from "../__tests__/support/muxPair";
import { frameOf, opened, openedHttp, record } from "../__tests__/support/muxStreams";
import { encodeWindow } from "./framePayloads";
import { flagEnd, flagInfo, flagUpgrade, FrameType } from "./frames";

const response = (status: number): string => JSON.stringify({ s: status, r: "", h: [] });
const headOf = (status: number, flags = 0, id = 1): Buffer => frameOf(FrameType.HEAD, flags, id, response(status));
const dataOf = (text: string, flags = 0, id = 1): Buffer => frameOf(FrameType.DATA, flags, id, text);

/** What a relay makes of the frames that answer its request on stream 1. */
function answered(...frames: readonly Buffer[]) {
  const pair = muxPair(() => {});
  const { log, pieces } = record(openedHttp(pair));
  pair.clock.settle();
  for (const frame of frames) pair.relay.link.receive(frame);
  pair.clock.settle();
  return { log, body: Buffer.concat(pieces).toString(), failures: pair.relay.failures };
}

describe("an answer", () => {
  it("an answer may have interim heads, one head, a body and trailers", () => {
    const { log, body, failures } = answered(
      frameOf(FrameType.ACCEPT, 0, 1),
      headOf(100, flagInfo),
      headOf(103, flagInfo),
      headOf(200),
      dataOf("a"),
      dataOf("b"),
      frameOf(FrameType.TRAILERS, flagEnd, 1, '["x-sum","1"]'),
    );

    expect(log).toEqual(["accept", "head 100", "head 103", "head 200", "trailers x-sum=1", "end"]);
    expect([body, failures]).toEqual(["ab", []]);
  });

  it.each([
    ["a body before its head", [dataOf("a")]],
    ["an end before its head", [dataOf("", flagEnd)]],
    ["trailers before its head", [frameOf(FrameType.TRAILERS, flagEnd, 1, "[]")]],
    ["a body after interim heads alone", [headOf(103, flagInfo), dataOf("a")]],
    ["a second head", [headOf(200), headOf(200)]],
    ["an interim head after its head", [headOf(200), headOf(103, flagInfo)]],
    ["an interim head that ends it", [headOf(103, flagInfo | flagEnd)]],
    ["a head after its end", [headOf(200, flagEnd), headOf(200)]],
    ["a body after its end", [headOf(200, flagEnd), dataOf("a")]],
    ["trailers after its end", [headOf(200), dataOf("", flagEnd), frameOf(FrameType.TRAILERS, flagEnd, 1, "[]")]],
  ])("an answer with %s ends the session", (_name, frames) => {
    expect(answered(...frames).failures).toMatchObject([{ code: "PROTOCOL_ERROR", closeCode: 1002 }]);
  });

  it.each([
    ["a final head of status 103", headOf(103)],
    ["a head of status 101 that switches nothing", headOf(101)],
    ["an interim head of status 200", headOf(200, flagInfo)],
    ["an interim head of status 101", headOf(101, flagInfo)],
    ["a status that is no number", frameOf(FrameType.HEAD, 0, 1, '{"s":"200","h":[]}')],
    ["no JSON", frameOf(FrameType.HEAD, 0, 1, "{")],
    ["a character that no byte stands for", frameOf(FrameType.HEAD, 0, 1, '{"s":200,"h":["a","€"]}')],
  ])("an answer with %s costs its stream alone", (_name, frame) => {
    expect(answered(frame)).toMatchObject({ log: ["reset 13 A HEAD frame is malformed."], failures: [] });
  });

  it("an answer with trailers that make no sense costs its stream alone, and nothing follows", () => {
    const trailers = frameOf(FrameType.TRAILERS, flagEnd, 1, '["a b","c"]');

    expect(answered(headOf(200), trailers)).toMatchObject({
      log: ["head 200", "reset 13 A HEAD frame is malformed."],
      failures: [],
    });
  });

  it("an answer may switch protocols", () => {
    expect(answered(headOf(101, flagUpgrade), dataOf("x"))).toMatchObject({ log: ["head 101"], body: "x" });
  });

  it("an answer of endless interim heads costs its stream, since no window counts them", () => {
    const large = frameOf(FrameType.HEAD, flagInfo, 1, JSON.stringify({ s: 103, h: ["link", "x".repeat(30_000)] }));

    const { log, failures } = answered(large, large, large, large);

    expect([log, failures]).toEqual([
      ["head 103", "head 103", "reset 12 The response has too many interim heads."],
      [],
    ]);
  });
});

describe("a stream", () => {
  it("a stream of TCP has neither heads nor trailers", () => {
    for (const frame of [headOf(200), frameOf(FrameType.TRAILERS, flagEnd, 1, "[]")]) {
      const pair = muxPair(() => {});
      opened(pair);
      pair.relay.link.receive(frame);

      expect(pair.relay.failures).toMatchObject([{ code: "PROTOCOL_ERROR" }]);
    }
  });

  it("a stream that its handler cuts reports nothing more, neither its end nor other data", () => {
    const log: string[] = [];
    const pair = muxPair((stream) => {
      stream.handler = {
        onData: () => {
          log.push("data");
          stream.reset(0);
        },
        onEnd: () => log.push("end"),
      };
    });
    opened(pair);
    pair.clock.settle();
    pair.driver.link.receive(dataOf("a", flagEnd));

    expect([log, pair.driver.session.heldBytes]).toEqual([["data"], 0]);
  });

  it("a stream that holds most of a session that holds too much reports its reset, and no data after it", () => {
    const log: string[] = [];
    const pair = muxPair(
      (stream) => {
        stream.handler = { onData: () => log.push("data"), onReset: ({ code }) => log.push(`reset ${code}`) };
      },
      { sessionBufferBytes: 60_000 },
    );
    opened(pair);
    pair.clock.settle();
    for (let count = 0; count < 3; count++) pair.driver.link.receive(dataOf("x".repeat(25_000)));

    expect(log).toEqual(["data", "data", "reset 12"]);
    expect(pair.driver.session.heldBytes).toBe(0);
  });
});

describe("frames in the wrong direction", () => {
  it.each([
    ["an OPEN to a relay", "relay", frameOf(FrameType.OPEN, 0, 3)],
    ["an OPEN to a relay, of a stream that is over", "relay", frameOf(FrameType.OPEN, 0, 1)],
    ["DATA of an even id below the highest one", "relay", dataOf("a", 0, 2)],
    ["an ACCEPT to a driver", "driver", frameOf(FrameType.ACCEPT, 0, 5)],
    ["a HEAD to a driver, of a stream that is open", "driver", headOf(200, 0, 5)],
    ["a HEAD to a driver, of a stream that is over", "driver", headOf(200, 0, 1)],
    ["an OPEN to a driver, of an even id", "driver", frameOf(FrameType.OPEN, 0, 8, Buffer.from([0, 0, 0, 1, 0]))],
  ] as const)("frames in the wrong direction end the session: %s", (_name, role, frame) => {
    const pair = muxPair(() => {});
    const streams = [opened(pair), opened(pair), opened(pair)];
    pair.clock.settle();
    streams[0]?.reset(0);
    pair.clock.settle();

    pair[role].link.receive(frame);

    expect(pair[role].failures).toMatchObject([{ code: "PROTOCOL_ERROR", closeCode: 1002 }]);
  });

  it("frames of streams that are over are ignored, whatever they say", () => {
    const pair = muxPair(() => {});
    const stream = opened(pair);
    pair.clock.settle();
    stream.reset(0);
    pair.clock.settle();
    const late = [
      dataOf("a", flagEnd),
      headOf(200),
      frameOf(FrameType.TRAILERS, flagEnd, 1, "["),
      frameOf(FrameType.WINDOW, 0, 1, encodeWindow({ consumedTotal: 9, windowBytes: 9 })),
      frameOf(FrameType.RESET, 0, 1),
      frameOf(FrameType.ACCEPT, 0, 1),
    ];
    for (const frame of late) pair.relay.link.receive(frame);

    expect([pair.relay.failures, pair.relay.session.heldBytes]).toEqual([[], 0]);
  });
});
