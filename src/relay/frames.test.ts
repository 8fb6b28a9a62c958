import fc from "fast-check";
import { ResetCode } from "./codes";
import { encodeControl } from "./controlMessages";
import {
  decodeOpen,
  decodeRequestHead,
  decodeReset,
  decodeResponseHead,
  decodeTrailers,
  decodeWindow,
  encodeOpen,
  encodeRequestHead,
  encodeReset,
  encodeResponseHead,
  encodeTrailers,
  encodeWindow,
} from "./framePayloads";
import {
  encodeFrameHeader,
  flagAck,
  flagEnd,
  flagInfo,
  flagUpgrade,
  FrameReader,
  FrameType,
  type Frame,
} from "./frames";
import { MuxProtocolError } from "./protocolError";

const maxFrameBytes = 65_536;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const frameOf = (type: FrameType, flags: number, streamId: number, payload: Uint8Array = new Uint8Array(0)) =>
  Buffer.concat([encodeFrameHeader(type, flags, streamId, payload.length), payload]);

function read(bytes: Uint8Array, pieceBytes = bytes.length): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(maxFrameBytes, (frame) => frames.push({ ...frame, payload: frame.payload.slice() }));
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return frames;
}

/** Every frame of the protocol, byte for byte: what a driver in another language can be tested against. */
const golden: readonly (readonly [name: string, frame: Uint8Array, hex: string])[] = [
  ["DATA", frameOf(FrameType.DATA, 0, 1, utf8("hi")), "00000002" + "00000001" + "6869"],
  ["DATA that ends its direction", frameOf(FrameType.DATA, flagEnd, 3), "10000000" + "00000003"],
  [
    "OPEN",
    frameOf(FrameType.OPEN, 0, 5, encodeOpen({ bindId: 12, peer: "a:1", local: "b:2" })),
    "01000021" + "00000005" + "0000000c" + "1c" + hex(utf8('{"peer":"a:1","local":"b:2"}')),
  ],
  [
    "WINDOW",
    frameOf(FrameType.WINDOW, 0, 1, encodeWindow({ consumedTotal: 2 ** 32 + 1, windowBytes: 262_144 })),
    "0200000c" + "00000001" + "0000000100000001" + "00040000",
  ],
  [
    "RESET",
    frameOf(FrameType.RESET, 0, 1, encodeReset({ code: ResetCode.TIMEOUT, receivedTotal: 7, reason: "slow" })),
    "0300000e" + "00000001" + "000a" + "0000000000000007" + hex(utf8("slow")),
  ],
  [
    "HEAD of a request",
    frameOf(
      FrameType.HEAD,
      flagEnd,
      7,
      encodeRequestHead({
        method: "GET",
        target: "/a?b=1",
        headers: ["Host", "x"],
        bindId: 1,
        peer: "p",
        requestId: "r",
      }),
    ),
    "14000043" + "00000007" + hex(utf8('{"m":"GET","u":"/a?b=1","h":["Host","x"],"b":1,"peer":"p","id":"r"}')),
  ],
  [
    "HEAD of a response that switches protocols",
    frameOf(FrameType.HEAD, flagUpgrade, 7, encodeResponseHead({ status: 101, reason: "OK", headers: [] })),
    "44000019" + "00000007" + hex(utf8('{"s":101,"r":"OK","h":[]}')),
  ],
  [
    "HEAD of an interim response",
    frameOf(FrameType.HEAD, flagInfo, 7, encodeResponseHead({ status: 103, reason: "", headers: [] })),
    "24000017" + "00000007" + hex(utf8('{"s":103,"r":"","h":[]}')),
  ],
  [
    "TRAILERS",
    frameOf(FrameType.TRAILERS, flagEnd, 7, encodeTrailers(["x-sum", "1"])),
    "1500000d" + "00000007" + hex(utf8('["x-sum","1"]')),
  ],
  ["PING", frameOf(FrameType.PING, 0, 0, new Uint8Array(8)), "06000008" + "00000000" + "0000000000000000"],
  [
    "the reply to a PING",
    frameOf(FrameType.PING, flagAck, 0, new Uint8Array(8)),
    "16000008" + "00000000" + "00".repeat(8),
  ],
  [
    "CTRL",
    frameOf(FrameType.CONTROL, 0, 0, encodeControl({ t: "UNBIND", req: 8, bindId: 12 })),
    "07000022" + "00000000" + hex(utf8('{"t":"UNBIND","req":8,"bindId":12}')),
  ],
  ["ACCEPT", frameOf(FrameType.ACCEPT, 0, 9), "08000000" + "00000009"],
  ["EXT", frameOf(FrameType.EXTENSION, 0, 0, utf8("?")), "0f000001" + "00000000" + "3f"],
];

describe("the frames of the protocol", () => {
  it.each(golden)("the frames of the protocol encodes %s byte for byte", (_name, frame, expected) => {
    expect(hex(frame)).toBe(expected);
  });

  it.each([1, 2, 3, 7, 8, 9, 64])(
    "the frames of the protocol reads what was sent when it arrives in pieces of %i bytes",
    (pieceBytes) => {
      const bytes = Buffer.concat(golden.map(([, frame]) => frame));

      expect(
        read(bytes, pieceBytes).map((frame) => hex(frameOf(frame.type, frame.flags, frame.streamId, frame.payload))),
      ).toEqual(golden.map(([, frame]) => hex(frame)));
    },
  );
});

describe("payloads", () => {
  it.each([
    [
      "OPEN",
      decodeOpen,
      encodeOpen({ bindId: 1, peer: "127.0.0.1:5", local: "[::1]:6" }),
      { bindId: 1, peer: "127.0.0.1:5", local: "[::1]:6" },
    ],
    [
      "WINDOW",
      decodeWindow,
      encodeWindow({ consumedTotal: 2 ** 53 - 1, windowBytes: 2 ** 32 - 1 }),
      { consumedTotal: 2 ** 53 - 1, windowBytes: 2 ** 32 - 1 },
    ],
    [
      "RESET",
      decodeReset,
      encodeReset({ code: 65_535, receivedTotal: 0, reason: "é" }),
      { code: 65_535, receivedTotal: 0, reason: "é" },
    ],
    ["TRAILERS", decodeTrailers, encodeTrailers(["A", "b"]), ["A", "b"]],
  ])("payloads of frames of %s are read as they were written", (_name, decode, payload, expected) => {
    expect(decode(payload)).toEqual(expected);
  });

  it("payloads of frames cut the reason of a RESET at 256 bytes, between characters", () => {
    const { reason } = decodeReset(encodeReset({ code: 0, receivedTotal: 0, reason: "€".repeat(200) }));

    expect(reason).toBe("€".repeat(85));
  });

  it("payloads of frames leave the addresses of an OPEN out where they do not fit", () => {
    expect(decodeOpen(encodeOpen({ bindId: 9, peer: "x".repeat(300), local: "" }))).toEqual({
      bindId: 9,
      peer: "",
      local: "",
    });
  });

  const requestHead = (fields: object) =>
    utf8(JSON.stringify({ m: "GET", u: "/", h: [], b: 1, peer: "p", id: "r", ...fields }));
  const responseHead = (fields: object) => utf8(JSON.stringify({ s: 200, r: "OK", h: [], ...fields }));

  it.each([
    ["a target in absolute form", requestHead({ u: "http://evil.test/" })],
    ["a target with a line break", requestHead({ u: "/a\r\nX: y" })],
    ["a target with a character that no byte stands for", requestHead({ u: "/€" })],
    ["a header value with a character that no byte stands for", requestHead({ h: ["a", "€"] })],
    ["a method that is no token", requestHead({ m: "GET /" })],
    ["a header name with a space", requestHead({ h: ["a b", "c"] })],
    ["a header value with a line break", requestHead({ h: ["a", "b\nc"] })],
    ["a name without a value", requestHead({ h: ["a"] })],
    ["two lengths", requestHead({ h: ["Content-Length", "5", "content-length", "5"] })],
    ["a length that is no number", requestHead({ h: ["Content-Length", "5, 5"] })],
    ["more than 2,048 headers", requestHead({ h: Array(4098).fill("a") })],
    ["a bind id that is no number", requestHead({ b: "1" })],
    ["a length below zero", requestHead({ cl: -1 })],
    ["no JSON", utf8("{")],
    ["a list", utf8("[]")],
    ["bytes that are no UTF-8", new Uint8Array([0xff, 0xfe])],
  ])("payloads of frames of a request's HEAD are refused with %s", (_name, payload) => {
    expect(() => decodeRequestHead(payload)).toThrow(MuxProtocolError);
  });

  it.each([
    ["status 99", responseHead({ s: 99 })],
    ["status 600", responseHead({ s: 600 })],
    ["a reason with a line break", responseHead({ r: "OK\r\n" })],
    ["a header value with a NUL", responseHead({ h: ["a", "\0"] })],
    ["two lengths", responseHead({ h: ["Content-Length", "5", "content-length", "50"] })],
  ])("payloads of frames of a response's HEAD are refused with %s", (_name, payload) => {
    expect(() => decodeResponseHead(payload, 0)).toThrow(MuxProtocolError);
  });

  it.each([
    ["WINDOW", decodeWindow],
    ["RESET", decodeReset],
    ["OPEN", decodeOpen],
  ])(
    "payloads of frames of %s are refused when they are too short, and when a number is past 2^53",
    (_name, decode) => {
      expect(() => decode(new Uint8Array(3))).toThrow(MuxProtocolError);
      expect(() => decode(new Uint8Array(12).fill(0xff))).toThrow(MuxProtocolError);
    },
  );
});

describe("a FrameReader", () => {
  it.each([
    ["an unknown type", Buffer.from("0b00000000000001", "hex")],
    ["a reserved type", Buffer.from("0900000000000001", "hex")],
    ["a frame over the limit", Buffer.from("0001000100000001", "hex")],
    ["a stream id with the highest bit set", Buffer.from("0000000080000001", "hex")],
    ["DATA for the session", Buffer.from("0000000000000000", "hex")],
    ["a control message for a stream", Buffer.from("0700000000000001", "hex")],
  ])("a FrameReader refuses %s before anything of its payload arrives", (_name, header) => {
    expect(() => read(header)).toThrow(MuxProtocolError);
  });

  it("a FrameReader gives back any frames, however their bytes are cut", () => {
    const frame = fc.record({
      type: fc.constantFrom(FrameType.DATA, FrameType.HEAD, FrameType.EXTENSION),
      flags: fc.nat(15),
      streamId: fc.integer({ min: 1, max: 0x7fffffff }),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.integer({ min: 1, max: 700 }), (frames, pieceBytes) => {
        const bytes = Buffer.concat(frames.map((each) => frameOf(each.type, each.flags, each.streamId, each.payload)));

        expect(read(bytes, pieceBytes)).toEqual(frames);
      }),
    );
  });

  it("a FrameReader gives a payload that arrives whole after its header as it is, without a copy", () => {
    const payloads: Uint8Array[] = [];
    const reader = new FrameReader(maxFrameBytes, ({ payload }) => payloads.push(payload));
    const [header, sent] = [encodeFrameHeader(FrameType.DATA, 0, 1, 40_000), new Uint8Array(40_000).fill(7)];
    reader.push(header);
    reader.push(sent);
    expect(payloads).toHaveLength(1);
    expect(payloads[0]).toEqual(sent);
    expect(payloads[0]?.buffer).toBe(sent.buffer);
  });

  it("a FrameReader throws nothing but protocol errors for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MuxProtocolError);
        }
      }),
    );
  });
});
