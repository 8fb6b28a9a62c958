import { onNextTurn, nextTurn } from "../../lib/nextTurn";
import { longestTimerMs } from "../../lib/timers";

/** What waits is sent from so many characters on. */
const flushChars = 16_384;
/** And when its first line is so old, in ms. */
const flushMs = 2;

/** How lines are written. */
export interface LineWriterOptions {
  /** An empty line is sent when nothing else was for so long, in ms. 0: never. */
  readonly heartbeatMs: number;
  /** How long lines may wait for a reader that takes none, in ms; then the reader is failed. 0: for ever. */
  readonly drainMs: number;
  /** Called once, when the reader stops before the end or is failed: no more lines are wanted. */
  readonly onStopped?: ((reason: StopReason) => void) | undefined;
}

/** Why no more lines are wanted: the reader has left, or it took nothing for too long. */
export type StopReason = "left" | "stalled";

type Result = IteratorResult<Uint8Array, undefined>;

/**
 * Lines on their way out, as bytes for one reader.
 *
 * The first line leaves at once; later ones when 16 KiB wait, 2 ms after the first of them, or when the event loop turns.
 * After bytes have left the loop has to turn before more lines are written, or a hot source would starve the process: await
 * `ready()` whenever `write` says so.
 */
export class LineWriter implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #options: LineWriterOptions;
  readonly #encoder = new TextEncoder();
  #text = "";
  /** When the first of the waiting lines was written. */
  #waitingSinceMs = 0;
  /** Whether the waiting lines are to leave as soon as they are asked for. */
  #isDue = true;
  #isTurnAwaited = false;
  #isOver = false;
  #isStopped = false;
  #failure: Error | undefined;
  #reader: { resolve(result: Result): void; reject(error: Error): void } | undefined;
  #onTaken: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastSentMs = performance.now();

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#watch();
  }

  /** Whether lines are still wanted. */
  get isOpen(): boolean {
    return !this.#isOver && !this.#isStopped;
  }

  /** Characters that wait for the reader. */
  get waitingChars(): number {
    return this.#text.length;
  }

  /**
   * Adds a line, unless no more are wanted.
   *
   * @param line without LF
   * @returns whether another one may be added at once; if not, await `ready()` first
   */
  write(line: string): boolean {
    if (!this.isOpen) return false;
    const isFirst = this.#text === "";
    this.#text += line + "\n";
    if (this.#isDue && this.#reader !== undefined) {
      this.#send(this.#reader);
      return false;
    }
    if (isFirst) {
      this.#waitingSinceMs = performance.now();
      this.#flushNextTurn();
    }
    if (this.#text.length < flushChars && performance.now() - this.#waitingSinceMs < flushMs) return true;
    this.#flush();
    return false;
  }

  /** Resolves when more lines may be written: the loop has turned, and the reader has taken what waited. */
  async ready(): Promise<void> {
    await nextTurn();
    while (this.isOpen && this.#text.length >= flushChars) await this.#taken();
  }

  /** Adds the last line, if any; what waits is still read. */
  end(line?: string): void {
    if (!this.isOpen) return;
    if (line !== undefined) this.#text += line + "\n";
    this.#isOver = true;
    this.#flush();
    if (this.#text === "") this.#finish();
  }

  next(): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#text !== "" && this.#isDue) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#isOver || this.#isStopped) return Promise.resolve(ended);
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  /** The reader wants no more. */
  return(): Promise<Result> {
    this.#stop("left");
    return Promise.resolve(ended);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #taken(): Promise<void> {
    return new Promise((resolve) => (this.#onTaken = resolve));
  }

  #flushNextTurn(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    onNextTurn(() => {
      this.#isTurnAwaited = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#text === "") return;
    this.#isDue = true;
    if (this.#reader !== undefined) this.#send(this.#reader);
  }

  #send({ resolve }: { resolve(result: Result): void }): void {
    this.#reader = undefined;
    resolve({ done: false, value: this.#take() });
  }

  #take(): Uint8Array {
    const bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    this.#isDue = false;
    this.#lastSentMs = performance.now();
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    onTaken?.();
    if (this.#isOver) this.#finish();
    return bytes;
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#reader?.resolve(ended);
    this.#reader = undefined;
  }

  #stop(reason: StopReason): void {
    if (this.#isStopped || (this.#isOver && this.#text === "")) return;
    const wasOver = this.#isOver;
    this.#isStopped = true;
    this.#text = "";
    this.#finish();
    this.#onTaken?.();
    if (!wasOver) this.#options.onStopped?.(reason);
  }

  /** One timer for heartbeats and for readers that stand still, set anew when it fires. */
  #watch(): void {
    const { heartbeatMs, drainMs } = this.#options;
    if (heartbeatMs === 0 && drainMs === 0) return;
    const dueInMs = Math.min(
      heartbeatMs === 0 ? Infinity : this.#isHeartbeatWanted ? heartbeatMs - this.#idleMs : heartbeatMs,
      drainMs === 0 ? Infinity : this.#isReaderAwaited ? drainMs - this.#stalledMs : drainMs,
      longestTimerMs,
    );
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(1, Math.ceil(dueInMs)));
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #onTimer(): void {
    const { heartbeatMs, drainMs } = this.#options;
    if (heartbeatMs > 0 && this.#isHeartbeatWanted && this.#idleMs >= heartbeatMs) {
      this.#text = "\n";
      this.#flush();
    }
    if (drainMs > 0 && this.#isReaderAwaited && this.#stalledMs >= drainMs) {
      this.#failure = new Error(`The reader took no line for ${drainMs} ms.`);
      this.#stop("stalled");
    } else this.#watch();
  }

  get #isHeartbeatWanted(): boolean {
    return this.#reader !== undefined && this.#text === "";
  }

  get #isReaderAwaited(): boolean {
    return this.#reader === undefined && this.#text !== "";
  }

  get #idleMs(): number {
    return performance.now() - this.#lastSentMs;
  }

  get #stalledMs(): number {
    return performance.now() - Math.max(this.#lastSentMs, this.#waitingSinceMs);
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
