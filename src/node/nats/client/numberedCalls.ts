/**
 * Calls under way by numbers that count up and are never given twice.
 *
 * An array, since calls come and go quickly: a Map leaves a table behind whenever it makes room, which refers to the next one. Once
 * one of them is old, the garbage collector carries along all that follow, with the calls in them.
 */
export class NumberedCalls<T extends { number: number }> {
  /** The place of a call is what its number leaves when it is divided by their count, a power of two; at most half are taken. */
  #places: (T | undefined)[] = new Array<T | undefined>(64).fill(undefined);
  #count = 0;
  #next = 0;

  get count(): number {
    return this.#count;
  }

  /** Gives a call its number. */
  add(call: T): number {
    if (this.#count * 2 >= this.#places.length) this.#grow();
    const last = this.#places.length - 1;
    // Calls that last keep their places.
    while (this.#places[this.#next & last] !== undefined) this.#next += 1;
    this.#places[this.#next & last] = call;
    this.#count += 1;
    return (call.number = this.#next++);
  }

  get(number: number): T | undefined {
    const call = this.#places[number & (this.#places.length - 1)];
    return call?.number === number ? call : undefined;
  }

  /** @returns whether it was there */
  delete(call: T): boolean {
    if (this.get(call.number) !== call) return false;
    this.#places[call.number & (this.#places.length - 1)] = undefined;
    this.#count -= 1;
    return true;
  }

  /** Those that are there now, whatever becomes of them meanwhile. */
  all(): T[] {
    return this.#places.filter((call) => call !== undefined);
  }

  #grow(): void {
    const calls = this.all();
    const places = new Array<T | undefined>(this.#places.length * 2).fill(undefined);
    for (const call of calls) places[call.number & (places.length - 1)] = call;
    this.#places = places;
  }
}
