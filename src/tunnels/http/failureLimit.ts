/** How many failures an address may have. */
export interface FailureLimitOptions {
  /** Failures of one address within `periodMs`. */
  readonly max: number;
  /** In ms. Default: a minute. */
  readonly periodMs?: number | undefined;
  /** Most addresses that are remembered; beyond it the one whose period began first is forgotten. Default 10,000. */
  readonly maxAddresses?: number | undefined;
  /** In ms; for tests. Default: the time of the process. */
  readonly now?: (() => number) | undefined;
}

interface Period {
  readonly endsAt: number;
  count: number;
}

/** Counts failures by address. A period begins with the first failure; no timer is involved. */
export class FailureLimit {
  readonly #max: number;
  readonly #periodMs: number;
  readonly #maxAddresses: number;
  readonly #now: () => number;
  /** In the order in which they began, which is the order in which they end. */
  readonly #periods = new Map<string, Period>();

  constructor({ max, periodMs = 60_000, maxAddresses = 10_000, now = () => performance.now() }: FailureLimitOptions) {
    this.#max = max;
    this.#periodMs = periodMs;
    this.#maxAddresses = maxAddresses;
    this.#now = now;
  }

  /** In how many ms the address may try again; `undefined`: now. */
  waitOf(address: string): number | undefined {
    const period = this.#periods.get(address);
    if (period === undefined) return undefined;
    const left = period.endsAt - this.#now();
    if (left <= 0) this.#periods.delete(address);
    return left > 0 && period.count >= this.#max ? left : undefined;
  }

  add(address: string): void {
    const now = this.#now();
    const period = this.#periods.get(address);
    if (period !== undefined && period.endsAt > now) {
      period.count += 1;
      return;
    }
    this.#periods.delete(address);
    this.#periods.set(address, { endsAt: now + this.#periodMs, count: 1 });
    if (this.#periods.size > this.#maxAddresses) this.#forgetFirst();
  }

  #forgetFirst(): void {
    for (const address of this.#periods.keys()) return void this.#periods.delete(address);
  }
}
