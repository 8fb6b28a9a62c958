import fc from "fast-check";
import { muxPair, type MuxPair, type MuxSide } from "../__tests__/support/muxPair";
import { frameOf, opened, openedHttp } from "../__tests__/support/muxStreams";
import { ResetCode } from "./codes";
import { encodeResponseHead } from "./framePayloads";
import { flagInfo, FrameReader } from "./frames";
import type { MuxStream } from "./muxStream";

const roles = fc.constantFrom("relay" as const, "driver" as const);

/** What either side of an ordinary session sent: openings, heads, bodies, trailers, windows, resets, pings and messages. */
function recorded(): { readonly relay: Buffer; readonly driver: Buffer } {
  const pair = recordedPair();
  return {
    relay: Buffer.concat(pair.relay.wire.messages),
    driver: Buffer.concat(pair.driver.wire.messages),
  };
}

function recordedPair() {
  const pair = muxPair((stream, opening) => {
    stream.accept();
    if (opening.kind === "http") {
      stream.sendHead(encodeResponseHead({ status: 103, reason: "", headers: [] }), flagInfo);
      stream.sendHead(encodeResponseHead({ status: 200, reason: "OK", headers: ["a", "b"] }));
    }
    stream.handler = {
      onData(bytes) {
        stream.write(bytes.slice());
        stream.consumed(bytes.length);
      },
      onEnd: () => stream.end(opening.kind === "http" ? ["x-sum", "1"] : undefined),
    };
  }, smallWindow);
  pair.driver.session.send({ t: "UNBIND", req: 1, bindId: 1 });
  pair.relay.session.send({ t: "UNBIND_OK", req: 1 });
  const streams = openThree(pair);
  for (const stream of streams) stream.write(new Uint8Array(700));
  pair.clock.settle();
  streams[0]?.end();
  streams[1]?.end();
  streams[2]?.reset(ResetCode.CANCEL, "left");
  pair.clock.settle();
  return pair;
}

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
    "a recorded session leaves nothing at a %s when its connection ends after any byte",
    (role) => {
      const sent = bytes[peerOf[role]];
      for (let end = 0; end <= sent.length; end++) {
        const { session, link, clock } = replaySide(role);
        link.receive(sent.subarray(0, end));
        clock.settle();
        session.linkLost(link);

        expect([session.activeStreams, session.heldBytes, session.links.length]).toEqual([0, 0, 0]);
      }
    },
  );

  it("a recorded session with one bit flipped anywhere goes on, or ends with one failure and nothing left", () => {
    fc.assert(
      fc.property(roles, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7), (role, where, bit) => {
        const sent = Buffer.from(bytes[peerOf[role]]);
        const index = Math.min(sent.length - 1, Math.floor(where * sent.length));
        sent[index] = (sent[index] as number) ^ (1 << bit);

        expectSound(replaySide(role), [sent]);
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
