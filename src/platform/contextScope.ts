import type { IAsyncLocalStorage } from "./asyncStorage";
import { storages } from "./storages";

/** Values by async-context id. Never mutated once it is entered. */
export interface ContextSlots extends Iterable<readonly [id: string, value: unknown]> {
  get(id: string): unknown;
  has(id: string): boolean;
}

/** One value. Of what a server makes for each of its calls, a map would be one of the largest. */
export class OneSlot implements ContextSlots {
  readonly #id: string;
  readonly #value: unknown;

  constructor(id: string, value: unknown) {
    this.#id = id;
    this.#value = value;
  }

  get(id: string): unknown {
    return id === this.#id ? this.#value : undefined;
  }

  has(id: string): boolean {
    return id === this.#id;
  }

  *[Symbol.iterator](): Generator<readonly [id: string, value: unknown]> {
    yield [this.#id, this.#value];
  }
}

/** The slot whose presence says of a context that its value, whichever it is, goes to no other process. */
export const stayingSlot = (id: string): string => `stays:${id}`;

const storage: unique symbol = /* @__PURE__ */ Symbol.for("runner.contexts");

/**
 * One storage for every async context of the process, so that entering several at once costs one scope.
 * Process-wide because contexts work outside any run; made on first use, so importing costs nothing. All copies of the
 * package share it: loaders such as tsx's for CommonJS load what the package imports later as a second copy, and tasks
 * of the first one read what an exposure of the second one provides.
 */
const shared = globalThis as { [storage]?: IAsyncLocalStorage<ContextSlots> };

/** Whether async contexts work here at all. */
export const hasContextScope = (): boolean => shared[storage] !== undefined || storages().hasAsyncLocalStorage();

/** What is provided to the current async chain. */
export const currentSlots = (): ContextSlots | undefined => shared[storage]?.getStore();

/** Runs `fn` with these slots added to the current ones; returns exactly what it returns. */
export function provideSlots<R>(added: ContextSlots, fn: () => R): R {
  const scope = (shared[storage] ??= storages().createAsyncLocalStorage<ContextSlots>());
  const current = scope.getStore();
  return scope.run(current === undefined ? added : new Map([...current, ...added]), fn);
}

/** Runs `fn` with these slots and no others, whatever called; returns exactly what it returns. */
export const enterSlots = <R>(slots: ContextSlots | undefined, fn: () => R): R =>
  slots === undefined || shared[storage] === undefined ? fn() : shared[storage].run(slots, fn);

/**
 * Remembers the current slots, for code that runs later and on behalf of what runs now.
 *
 * @returns what runs a function with them, whichever code calls it, and returns exactly what the function returns
 */
export function captureSlots(): <R>(fn: () => R) => R {
  const slots = currentSlots();
  return (fn) => enterSlots(slots, fn);
}
