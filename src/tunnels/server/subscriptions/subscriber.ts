import { onNextTurn } from "../../../lib/nextTurn";
import { longestTimerMs } from "../../../lib/timers";

/** How a subscriber is sent what it listens to. */
export interface SubscriberOptions {
  /** An empty line is sent when nothing else was for so long, in ms. 0: never. */
  readonly heartbeatMs: number;
  /** Bytes that may wait for it. */
  readonly queuedBytes: number;
  /** How long it may take nothing while lines wait, in ms; then it is failed. 0: for ever. */
  readonly drainMs: number;
  /** Writes what tells of emissions that were left out, by event. */
  readonly tellSkipped: (event: string, missed: number) => Uint8Array;
  /** Called once, when no more lines are wanted. */
  readonly onEnd: () => void;
}

type Result = IteratorResult<Uint8Array, undefined>;

/**
 * What waits for one subscriber, as bytes that all of them share.
 *
 * What is emitted while too much waits is left out and told of once it has taken what waits. That begins a turn of the event
 * loop after there was too much, because within a turn no subscriber can take anything.
 */
export class Subscriber implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #options: SubscriberOptions;
  #lines: Uint8Array[] = [];
  /** Of lines that count: what is replayed is held for others as well. */
  #queuedBytes = 0;
  #skipped: Map<string, number> | undefined;
  #isSkipping = false;
  #isTurnAwaited = false;
  #isOver = false;
  #failure: Error | undefined;
  #reader: { resolve(result: Result): void; reject(error: Error): void } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastTakenMs = performance.now();
  #waitingSinceMs = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#watch();
  }

  /** Bytes that count and wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Adds what does not count as waiting: the first line, and what is replayed. */
  begin(lines: readonly Uint8Array[]): void {
    if (this.#isOver) return;
    for (const line of lines) this.#add(line);
    this.#send();
  }

  /** Adds an emission, or counts it as skipped. */
  publish(event: string, line: Uint8Array, path?: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#isSkipping) {
      const skipped = (this.#skipped ??= new Map<string, number>());
      skipped.set(event, (skipped.get(event) ?? 0) + 1);
      return;
    }
    if (path !== undefined) this.#count(path);
    this.#count(line);
    this.#send();
    if (this.#queuedBytes > this.#options.queuedBytes) this.#skipNextTurn();
  }

  /** Adds a line that is about emissions. */
  tell(line: Uint8Array): void {
    if (this.#isOver) return;
    this.#count(line);
    this.#send();
  }

  /** Adds the last line; what waits is still read. */
  end(line: Uint8Array): void {
    if (this.#isOver) return;
    this.#add(line);
    this.#finish();
    this.#send();
  }

  next(): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#lines.length > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#isOver) return Promise.resolve(ended);
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  /** The subscriber wants no more. */
  return(): Promise<Result> {
    this.#lines = [];
    this.#finish();
    this.#reader?.resolve(ended);
    this.#reader = undefined;
    return Promise.resolve(ended);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #count(line: Uint8Array): void {
    this.#queuedBytes += line.byteLength;
    this.#add(line);
  }

  #add(line: Uint8Array): void {
    if (this.#lines.length === 0) this.#waitingSinceMs = performance.now();
    this.#lines.push(line);
  }

  #send(): void {
    if (this.#reader === undefined || this.#lines.length === 0) return;
    const { resolve } = this.#reader;
    this.#reader = undefined;
    resolve({ done: false, value: this.#take() });
  }

  #take(): Uint8Array {
    const bytes = join(this.#lines);
    this.#lines = [];
    this.#queuedBytes = 0;
    this.#lastTakenMs = performance.now();
    this.#isSkipping = false;
    const skipped = this.#skipped;
    this.#skipped = undefined;
    for (const [event, missed] of skipped ?? []) this.tell(this.#options.tellSkipped(event, missed));
    return bytes;
  }

  #skipNextTurn(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    onNextTurn(() => {
      this.#isTurnAwaited = false;
      this.#isSkipping = this.#queuedBytes > this.#options.queuedBytes;
    });
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#skipped = undefined;
    clearTimeout(this.#timer);
    this.#options.onEnd();
  }

  /** One timer for heartbeats and for a subscriber that stands still, set anew when it fires. */
  #watch(): void {
    const { heartbeatMs, drainMs } = this.#options;
    const nowMs = performance.now();
    const dueInMs = Math.min(
      heartbeatMs === 0 ? Infinity : this.#isIdle ? heartbeatMs - (nowMs - this.#lastTakenMs) : heartbeatMs,
      drainMs === 0 ? Infinity : this.#isStalled ? drainMs - this.#stalledMs(nowMs) : drainMs,
      longestTimerMs,
    );
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(1, Math.ceil(dueInMs)));
    // Elsewhere than in Node a timer is a number, and keeps nothing alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #onTimer(): void {
    const { heartbeatMs, drainMs } = this.#options;
    const nowMs = performance.now();
    if (drainMs > 0 && this.#isStalled && this.#stalledMs(nowMs) >= drainMs) {
      this.#failure = new Error(`The subscriber took nothing for ${drainMs} ms.`);
      this.#lines = [];
      this.#finish();
      return;
    }
    if (heartbeatMs > 0 && this.#isIdle && nowMs - this.#lastTakenMs >= heartbeatMs) this.begin([lineFeed]);
    this.#watch();
  }

  /** It waits for lines, and there are none. */
  get #isIdle(): boolean {
    return this.#reader !== undefined && this.#lines.length === 0;
  }

  /** Lines wait for it. */
  get #isStalled(): boolean {
    return this.#reader === undefined && this.#lines.length > 0;
  }

  #stalledMs(nowMs: number): number {
    return nowMs - Math.max(this.#lastTakenMs, this.#waitingSinceMs);
  }
}

const lineFeed = /* @__PURE__ */ (() => new Uint8Array([0x0a]))();
const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

function join(lines: readonly Uint8Array[]): Uint8Array {
  const [only] = lines;
  if (lines.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(lines.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.byteLength;
  }
  return bytes;
}
