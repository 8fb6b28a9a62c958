import type { Clock } from "../../relay/clock";
import type { ControlMessage } from "../../relay/controlMessages";
import type { Link } from "../../relay/link";
import type { MuxLink } from "../../relay/muxLink";
import { MuxSession } from "../../relay/muxSession";
import type { MuxStream } from "../../relay/muxStream";
import type { SessionFailure, SessionSettings, StreamOpening } from "../../relay/sessionContract";

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  #soon: (() => void)[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Runs what is due now, until nothing is. */
  settle(): void {
    for (let rounds = 0; this.#soon.length > 0; rounds++) {
      if (rounds > 1_000_000) throw new Error("This never settles.");
      for (const run of this.#soon.splice(0)) run();
    }
  }

  /** Lets time pass, timer by timer. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      this.settle();
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = endMs;
    this.settle();
  }

  /** The machine sleeps: timers fire late. */
  sleep(ms: number): void {
    this.#nowMs += ms;
    this.advance(0);
  }
}

export const defaultSettings: SessionSettings = {
  maxFrameBytes: 65_536,
  maxStreams: 1_000,
  windowBytes: 262_144,
  maxWindowBytes: 8_388_608,
  sessionBufferBytes: 67_108_864,
  pingMs: 15_000,
  deadMs: 60_000,
};

/** A connection in memory; bytes arrive in the next round of the clock, in pieces if asked for. */
class MemoryLink implements Link {
  target: MuxLink | undefined;
  /** Takes what arrives in the place of the target. */
  arriving: ((message: Uint8Array) => void) | undefined;
  closed: { readonly code?: number; readonly reason?: string } | undefined;
  sentBytes = 0;
  /** Every message that was sent. */
  readonly messages: Uint8Array[] = [];
  queuedBytes = 0;
  /** Messages that the peer does not read for now. */
  isBlocked = false;
  readonly #clock: Clock;
  readonly #cut: (message: Uint8Array) => readonly Uint8Array[];
  readonly #delayMs: number;
  #waiting: Uint8Array[] = [];

  constructor(clock: Clock, cut: (message: Uint8Array) => readonly Uint8Array[], delayMs: number) {
    this.#clock = clock;
    this.#cut = cut;
    this.#delayMs = delayMs;
  }

  send(pieces: readonly Uint8Array[]): void {
    const message = new Uint8Array(Buffer.concat(pieces));
    this.sentBytes += message.length;
    this.messages.push(message);
    if (this.isBlocked) {
      this.queuedBytes += message.length;
      this.#waiting.push(message);
      return;
    }
    const deliver = (): void => {
      if (this.arriving !== undefined) return this.arriving(message);
      this.#cut(message).forEach((piece) => this.target?.receive(piece));
    };
    if (this.#delayMs === 0) this.#clock.soon(deliver);
    else this.#clock.after(this.#delayMs, deliver);
  }

  unblock(own: MuxLink): void {
    this.isBlocked = false;
    this.queuedBytes = 0;
    for (const message of this.#waiting.splice(0)) this.send([message]);
    own.drained();
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  destroy(): void {
    this.closed = {};
  }
}

export interface MuxSide {
  readonly session: MuxSession;
  readonly link: MuxLink;
  readonly wire: MemoryLink;
  readonly controls: ControlMessage[];
  readonly failures: SessionFailure[];
}

export interface MuxPair {
  readonly clock: ManualClock;
  readonly relay: MuxSide;
  readonly driver: MuxSide;
}

/** A relay's and a driver's session, joined in memory. @param delayMs how long a message travels */
export function muxPair(
  onStream: (stream: MuxStream, opening: StreamOpening) => void,
  settings: Partial<SessionSettings> = {},
  cut: (message: Uint8Array) => readonly Uint8Array[] = (message) => [message],
  delayMs = 0,
): MuxPair {
  const clock = new ManualClock();
  const sideOf = (role: "relay" | "driver"): MuxSide => {
    const controls: ControlMessage[] = [];
    const failures: SessionFailure[] = [];
    const session = new MuxSession({
      role,
      clock,
      settings: { ...defaultSettings, ...settings },
      handler: {
        onControl: (message) => controls.push(message),
        onFailed: (failure) => failures.push(failure),
        onStream,
      },
    });
    const wire = new MemoryLink(clock, cut, delayMs);
    return { session, wire, link: session.attach(wire), controls, failures };
  };
  const relay = sideOf("relay");
  const driver = sideOf("driver");
  relay.wire.target = driver.link;
  driver.wire.target = relay.link;
  return { clock, relay, driver };
}
