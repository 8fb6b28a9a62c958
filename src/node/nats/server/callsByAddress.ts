/** A call by the address of its reply. */
export interface AddressedCall<T> {
  readonly address: string;
  /** The next one in the same chain. */
  next: T | undefined;
}

const chainCount = 256;

/**
 * The calls that a server has under way, in chains that the ends of their addresses tell apart.
 *
 * Chains of the calls themselves, since calls come and go quickly: a Map leaves a table behind whenever it makes room, which refers to
 * the next one. Once one of them is old, the garbage collector carries along all that follow, with the calls in them.
 */
export class CallsByAddress<T extends AddressedCall<T>> {
  readonly #chains = new Array<T | undefined>(chainCount).fill(undefined);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(call: T): void {
    const at = chainOf(call.address);
    call.next = this.#chains[at];
    this.#chains[at] = call;
    this.#count += 1;
  }

  delete(call: T): void {
    const at = chainOf(call.address);
    let before: T | undefined;
    for (let each = this.#chains[at]; each !== undefined; before = each, each = each.next) {
      if (each !== call) continue;
      if (before === undefined) this.#chains[at] = call.next;
      else before.next = call.next;
      call.next = undefined;
      this.#count -= 1;
      return;
    }
  }

  get(address: string): T | undefined {
    let call = this.#chains[chainOf(address)];
    while (call !== undefined && call.address !== address) call = call.next;
    return call;
  }

  /** Those that are there now, whatever becomes of them meanwhile. */
  all(): T[] {
    const calls: T[] = [];
    for (let call of this.#chains) for (; call !== undefined; call = call.next) calls.push(call);
    return calls;
  }
}

/** Clients count their addresses up, or draw them; either way the last two characters differ most. */
const chainOf = (address: string): number =>
  (address.charCodeAt(address.length - 1) * 31 + address.charCodeAt(address.length - 2)) & (chainCount - 1);
