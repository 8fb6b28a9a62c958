import { InFlight } from "../../../lib/inFlight";

/** Does work in order of arrival where it has the same key, and limits how much is done at a time. */
export class Lanes {
  readonly #limit: number;
  readonly #lanes = new Map<string, (() => Promise<void>)[]>();
  readonly #ready: (() => Promise<void>)[] = [];
  readonly #running = new InFlight();
  readonly #onDone = (): void => {
    this.#running.leave();
    this.#start();
  };

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param key `undefined`: in no order @param work never rejects */
  add(key: string | undefined, work: () => Promise<void>): void {
    if (key === undefined) return this.#admit(work);
    const lane = this.#lanes.get(key);
    if (lane !== undefined) {
      lane.push(work);
      return;
    }
    this.#lanes.set(key, []);
    this.#admit(() => this.#follow(key, work));
  }

  /** Drops what has not begun. */
  clear(): void {
    this.#ready.length = 0;
    for (const lane of this.#lanes.values()) lane.length = 0;
  }

  /** Resolves at once when nothing is being done. */
  whenIdle(): Promise<void> {
    return this.#running.whenIdle();
  }

  /** What waits in the lane takes its turn after that of others. */
  async #follow(key: string, work: () => Promise<void>): Promise<void> {
    await work();
    const next = this.#lanes.get(key)?.shift();
    if (next === undefined) this.#lanes.delete(key);
    else this.#ready.push(() => this.#follow(key, next));
  }

  #admit(work: () => Promise<void>): void {
    this.#ready.push(work);
    this.#start();
  }

  #start(): void {
    while (this.#running.count < this.#limit) {
      const work = this.#ready.shift();
      if (work === undefined) return;
      this.#running.enter();
      void work().then(this.#onDone, this.#onDone);
    }
  }
}
