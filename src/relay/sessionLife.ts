import type { Clock } from "./clock";

/** Where a session stands: with a link, waiting for one, or over. */
export type SessionState = "attached" | "parked" | "ended";

export interface SessionLifeOptions {
  readonly clock: Clock;
  /** How long a session without a link waits for its driver, in ms. */
  readonly graceMs: number;
  /** An attached session without streams and bindings ends after this, in ms; 0 for never. */
  readonly idleMs: number;
  readonly isIdle: () => boolean;
  readonly onExpired: () => void;
  readonly onIdle: () => void;
}

/** The life of a session beyond its links: it is parked when it loses them, and resumed or dropped. */
export class SessionLife {
  readonly #options: SessionLifeOptions;
  #state: SessionState = "attached";
  #cancelTimer: () => void = () => {};
  #touchedAtMs = 0;

  constructor(options: SessionLifeOptions) {
    this.#options = options;
    this.#watchIdle();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The primary link is gone. */
  park(): void {
    if (this.#state !== "attached") return;
    this.#state = "parked";
    const { clock, graceMs, onExpired } = this.#options;
    this.#restart(
      clock.after(graceMs, () => {
        this.end();
        onExpired();
      }),
    );
  }

  /** @returns whether the session could be resumed */
  resume(): boolean {
    if (this.#state === "ended") return false;
    this.#state = "attached";
    this.#watchIdle();
    return true;
  }

  end(): void {
    this.#state = "ended";
    this.#restart(() => {});
  }

  /** A binding or a stream came or went: idleness counts from the last time there was one. */
  touch(): void {
    this.#touchedAtMs = this.#options.clock.now();
  }

  #watchIdle(): void {
    this.touch();
    this.#waitIdle(this.#options.idleMs);
  }

  /** One timer for any number of touches: every visit ends with one. */
  #waitIdle(delayMs: number): void {
    const { clock, idleMs, isIdle, onIdle } = this.#options;
    if (idleMs === 0) return this.#restart(() => {});
    this.#restart(
      clock.after(delayMs, () => {
        const leftMs = this.#touchedAtMs + idleMs - clock.now();
        if (leftMs > 0) this.#waitIdle(leftMs);
        else if (isIdle()) onIdle();
        else this.#watchIdle();
      }),
    );
  }

  #restart(cancel: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = cancel;
  }
}

/** What is known of the driver that asks to resume, and of the session. */
export interface ResumeRequest {
  /** Who created the session, and who asks. */
  readonly owner: string;
  readonly principal: string;
  /** Whether the token that was sent is the session's; `undefined` when none was sent. */
  readonly isTokenRight: boolean | undefined;
}

/**
 * Whether a session may be resumed.
 *
 * Its id is public, so it needs more: the same principal always, the right token if one is sent, and a token where
 * principals cannot be told apart.
 */
export function mayResume({ owner, principal, isTokenRight }: ResumeRequest): boolean {
  if (owner !== principal || isTokenRight === false) return false;
  return isTokenRight === true || principal !== anonymousPrincipal;
}

export const anonymousPrincipal = "anonymous";
