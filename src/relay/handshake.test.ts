import { decodeControl, type Hello, type HelloOk } from "./controlMessages";
import { negotiate, readAgreement, type RelayLimits } from "./handshake";
import { defaultSettings, ManualClock } from "../__tests__/support/muxPair";
import { mayResume, SessionLife } from "./sessionLife";

const limits: RelayLimits = { ...defaultSettings, graceMs: 60_000, maxBindings: 32, maxConnectionsPerSession: 8 };
const hello = (fields: Partial<Hello> = {}): Hello => ({ t: "HELLO", ...fields });

describe("negotiate", () => {
  it("negotiate takes the smaller of both sides, and drops features it does not know", () => {
    const asked = hello({ maxStreams: 10, maxFrame: 4096, window: 9_999_999, features: ["autotune", "telepathy"] });

    expect(negotiate(asked, "hoody-tunnel.v1", limits)).toMatchObject({
      settings: { maxStreams: 10, maxFrameBytes: 4096, windowBytes: 262_144 },
      features: ["autotune"],
      connections: 1,
    });
  });

  it("negotiate grants links to the second version of the protocol alone, up to the limit", () => {
    expect(negotiate(hello({ connections: 99 }), "hoody-tunnel.v2", limits)).toMatchObject({ connections: 8 });
    expect(negotiate(hello({ connections: 4 }), "hoody-tunnel.v1", limits)).toMatchObject({ connections: 1 });
  });

  it.each([
    ["the version of another subprotocol", { v: 1 }, "VERSION"],
    ["no room for a head in a frame", { maxFrame: 10 }, "BAD_FRAME"],
    ["an empty window", { window: 0 }, "BAD_FRAME"],
    ["no streams", { maxStreams: 0 }, "BAD_FRAME"],
    ["a shard on a primary link", { shard: { sessionId: "s", token: "t", index: 1 } }, "BAD_FRAME"],
  ])("negotiate refuses %s", (_name, fields, code) => {
    expect(negotiate(hello(fields), "hoody-tunnel.v2", limits)).toBe(code);
  });
});

describe("readAgreement", () => {
  it("readAgreement never takes more than the driver asked for, and leaves out what a relay does not say", () => {
    const ok = decodeControl(
      Buffer.from(JSON.stringify({ t: "HELLO_OK", sessionId: "s", maxFrame: 9_999_999, maxStreams: 5 })),
    ) as HelloOk;

    expect(readAgreement(ok, defaultSettings)).toMatchObject({
      maxFrameBytes: 65_536,
      maxStreams: 5,
      windowBytes: 262_144,
      maxWindowBytes: 8_388_608,
    });
  });
});

describe("mayResume", () => {
  it.each([
    ["the right token and the same principal", { owner: "a", principal: "a", isTokenRight: true }, true],
    ["the right token and another principal", { owner: "a", principal: "b", isTokenRight: true }, false],
    ["a wrong token and the same principal", { owner: "a", principal: "a", isTokenRight: false }, false],
    ["no token and the same principal", { owner: "a", principal: "a", isTokenRight: undefined }, true],
    [
      "no token where callers are anonymous",
      { owner: "anonymous", principal: "anonymous", isTokenRight: undefined },
      false,
    ],
    [
      "the right token where callers are anonymous",
      { owner: "anonymous", principal: "anonymous", isTokenRight: true },
      true,
    ],
  ])("mayResume decides by %s", (_name, request, expected) => {
    expect(mayResume(request)).toBe(expected);
  });
});

describe("a SessionLife", () => {
  function lifeOf({ idle = false } = {}) {
    const clock = new ManualClock();
    const log: string[] = [];
    const life = new SessionLife({
      clock,
      graceMs: 60_000,
      idleMs: 300_000,
      isIdle: () => idle,
      onExpired: () => log.push("expired"),
      onIdle: () => log.push("idle"),
    });
    return { clock, life, log };
  }

  it("a SessionLife waits for its driver for the grace, and not a millisecond longer", () => {
    const [resumed, dropped] = [lifeOf(), lifeOf()];
    for (const { life } of [resumed, dropped]) life.park();

    resumed.clock.advance(59_999);
    dropped.clock.advance(60_000);

    expect([resumed.life.resume(), dropped.life.resume()]).toEqual([true, false]);
    resumed.clock.advance(120_000);
    expect([resumed.life.state, resumed.log, dropped.log]).toEqual(["attached", [], ["expired"]]);
  });

  it("a SessionLife ends when it has been idle, counted from when it became so", () => {
    const { clock, life, log } = lifeOf({ idle: true });
    clock.advance(299_000);
    life.touch();
    clock.advance(299_000);
    expect(log).toEqual([]);

    clock.advance(1_000);
    expect(log).toEqual(["idle"]);
  });

  it("a SessionLife asks again later while something is going on", () => {
    const { clock, log } = lifeOf();
    clock.advance(3_000_000);

    expect(log).toEqual([]);
  });

  it("a SessionLife expires no more once it has ended", () => {
    const { clock, life, log } = lifeOf();
    life.park();
    life.end();
    clock.advance(120_000);

    expect([log, life.resume()]).toEqual([[], false]);
  });
});
