/** What knows its place in a bag; -1 before it was in one. */
export interface BagMember {
  place: number;
}

/**
 * Members in no order, each in one bag at a time, which are added and taken out quickly.
 *
 * An array, in which the last one takes the place of what is taken out. A Set leaves a table behind whenever it makes room, which
 * refers to the next one: once one of them is old, the garbage collector carries along all that follow, with what is in them.
 */
export class Bag<T extends BagMember> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** @returns whether it was in it */
  delete(member: T): boolean {
    if (this.#members[member.place] !== member) return false;
    const last = this.#members.pop() as T;
    if (last !== member) {
      last.place = member.place;
      this.#members[member.place] = last;
    }
    return true;
  }

  /** Takes all of them out. */
  empty(): T[] {
    return this.#members.splice(0);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#members.values();
  }
}
