import fc from "fast-check";
import { muxPair, type MuxPair, type MuxSide } from "../__tests__/support/muxPair";
import { frameOf, opened, openedHttp, record } from "../__tests__/support/muxStreams";
import { ResetCode } from "./codes";
import { encodeResponseHead } from "./framePayloads";
import { flagInfo, FrameReader } from "./frames";
import type { MuxStream } from "./muxStream";

const roles = fc.constantFrom("relay" as const, "driver" as const);

/** What either side of an ordinary session sent: openings, heads, bodies, trailers, windows, resets, pings and messages. */
function recorded(): { readonly relay: Buffer; readonly driver: Buffer } {
  const { pair } = ordinarySession();
  return {
    relay: Buffer.concat(pair.relay.wire.messages),
    driver: Buffer.concat(pair.driver.wire.messages),
  };
}

interface OrdinarySession {
  readonly pair: MuxPair;
  /** What each stream received, by the side it belongs to. */
  readonly received: Record<Role, ReturnType<typeof record>[]>;
}

/** @param prepare has the connection of both fail */
function ordinarySession(prepare: (pair: MuxPair) => void = () => {}): OrdinarySession {
  const received: OrdinarySession["received"] = { relay: [], driver: [] };
  const pair = muxPair((stream, opening) => {
    const isHttp = opening.kind === "http";
    received.driver.push(record(stream));
    const { handler } = stream;
    stream.handler = {
      ...handler,
      onData(bytes, isLast) {
        stream.write(bytes.slice());
        handler.onData?.(bytes, isLast);
      },
      onEnd() {
        handler.onEnd?.();
        stream.end(isHttp ? ["x-sum", "1"] : undefined);
      },
    };
    stream.accept();
    if (!isHttp) return;
    stream.sendHead(encodeResponseHead({ status: 103, reason: "", headers: [] }), flagInfo);
    stream.sendHead(encodeResponseHead({ status: 200, reason: "OK", headers: ["a", "b"] }));
  }, smallWindow);
  prepare(pair);
  pair.driver.session.send({ t: "HELLO", v: 2 });
  pair.driver.session.send({ t: "UNBIND", req: 1, bindId: 1 });
  pair.relay.session.send({ t: "UNBIND_OK", req: 1 });
  const streams = openThree(pair);
  received.relay.push(...streams.map((stream) => record(stream)));
  for (const stream of streams) stream.write(new Uint8Array(700));
  pair.clock.settle();
  streams[0]?.end();
  streams[1]?.end();
  streams[2]?.reset(ResetCode.CANCEL, "left");
  pair.clock.settle();
  return { pair, received };
}

/** The last message arrives up to the byte where its connection is lost, which both sides are told. */
function loseAfter({ relay, driver }: MuxPair, role: Role, afterBytes: number): void {
  const [from, to] = role === "relay" ? [relay, driver] : [driver, relay];
  let left = afterBytes;
  from.wire.arriving = (message) => {
    const arrived = message.subarray(0, left);
    left -= arrived.length;
    if (arrived.length > 0) to.link.receive(arrived);
    if (left === 0) for (const { session, link } of [relay, driver]) session.linkLost(link);
  };
}

/** One bit of what a side sends arrives as another. */
function flip({ relay, driver }: MuxPair, role: Role, at: number, bit: number): void {
  const [from, to] = role === "relay" ? [relay, driver] : [driver, relay];
  let left = at;
  from.wire.arriving = (message) => {
    const arrived = message.slice();
    if (left >= 0 && left < arrived.length) arrived[left] = (arrived[left] as number) ^ (1 << bit);
    left -= message.length;
    to.link.receive(arrived);
  };
}

/** How each stream of either side ended, with what its side has left. */
function describeSession({ pair, received }: OrdinarySession) {
  return (["relay", "driver"] as const).flatMap((role) => {
    const { session, failures } = pair[role];
    const left = [session.activeStreams, session.heldBytes, failures.length];
    return received[role].map(({ log, pieces }) => ({
      left,
      endings: log.flatMap((entry) => /^(?:end|reset)/.exec(entry) ?? []),
      receivedBytes: pieces.reduce((sum, { length }) => sum + length, 0),
    }));
  });
}

/** What its peer ended may be reset after that: its own direction was still open. */
const isEnding = /^(end|reset|end,reset)$/;

type Role = "relay" | "driver";

const smallWindow = { windowBytes: 500 };

function openThree(pair: MuxPair): MuxStream[] {
  const streams = [opened(pair), openedHttp(pair), openedHttp(pair)];
  for (const stream of streams) stream.handler = { onData: (bytes) => stream.consumed(bytes.length) };
  return streams;
}

/** A side that is about to receive what was recorded of its peer. */
function replaySide(role: "relay" | "driver"): MuxSide & { readonly clock: MuxPair["clock"] } {
  const pair = muxPair((stream) => {
    stream.handler = { onData: (bytes) => stream.consumed(bytes.length) };
  }, smallWindow);
  if (role === "relay") {
    const streams = openThree(pair);
    pair.driver.wire.target = undefined;
    for (const stream of streams) stream.write(new Uint8Array(700));
    pair.clock.settle();
  }
  return { ...pair[role], clock: pair.clock };
}

const peerOf = { relay: "driver", driver: "relay" } as const;

describe("a recorded session", () => {
  const bytes = recorded();

  it.each(["relay", "driver"] as const)(
    "a session whose connection is lost after any byte of its %s leaves nothing on either side, and no stream that ended early",
    (role) => {
      const whole = describeSession(ordinarySession());
      const wrong: unknown[] = [];

      for (let afterBytes = 1; afterBytes <= bytes[role].length; afterBytes++) {
        const session = ordinarySession((pair) => loseAfter(pair, role, afterBytes));
        const isWrong = describeSession(session).filter(
          ({ left, endings, receivedBytes }, index) =>
            left.some((count) => count > 0) ||
            !(endings.length > 0 ? isEnding.test(endings.join()) : whole[index]?.endings.length === 0) ||
            (endings.includes("end") && receivedBytes !== whole[index]?.receivedBytes),
        );
        if (isWrong.length > 0) wrong.push({ afterBytes, isWrong });
      }

      expect(wrong).toEqual([]);
      expect(whole.map(({ endings }) => endings.join())).toEqual(["end", "end", "", "end", "end", "reset"]);
    },
  );

  it("a session with one bit flipped anywhere on its way goes on, or ends with one failure and nothing left", () => {
    fc.assert(
      fc.property(roles, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7), (role, where, bit) => {
        const at = Math.min(bytes[role].length - 1, Math.floor(where * bytes[role].length));
        const { pair } = ordinarySession((each) => flip(each, role, at, bit));

        for (const side of [pair.relay, pair.driver]) expectSound({ ...side, clock: pair.clock }, []);
      }),
      { numRuns: 500 },
    );
  });

  it("a recorded session whose frames come twice, or not at all, or in another order goes on or ends once", () => {
    const framesOf = (sent: Buffer): Buffer[] => {
      const frames: Buffer[] = [];
      const reader = new FrameReader(262_144, ({ type, flags, streamId, payload }) =>
        frames.push(frameOf(type, flags, streamId, payload)),
      );
      reader.push(sent);
      return frames;
    };
    const frames = { relay: framesOf(bytes.relay), driver: framesOf(bytes.driver) };
    fc.assert(
      fc.property(roles, fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), (role, picks) => {
        const all = frames[peerOf[role]];
        expectSound(
          replaySide(role),
          picks.map((pick) => all[pick % all.length] as Buffer),
        );
      }),
      { numRuns: 300 },
    );
  });
});

/** What must hold whatever arrived. */
function expectSound(side: MuxSide & { readonly clock: MuxPair["clock"] }, messages: readonly Uint8Array[]): void {
  const { session, link, wire, failures, clock } = side;
  for (const message of messages) link.receive(message);
  clock.settle();

  expect(failures.length).toBeLessThanOrEqual(1);
  expect(session.heldBytes).toBe(0);
  expect(session.activeStreams).toBeLessThanOrEqual(failures.length === 1 ? 0 : 1_000);
  expect(wire.sentBytes).toBeLessThan(1_000_000);
}
