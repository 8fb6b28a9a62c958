import type { CloseOptions } from "../../tunnels/client/createTunnelClient";
import type { Transport } from "../../tunnels/protocol/wire";

/** A transport that holds connections. */
export interface Carrier {
  readonly send: Transport;
  /** Waits for the calls under way, unless told to stop waiting; then lets go of the connections. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * What is under way, in places that are used again.
 *
 * Not a `Set`: the tables that one outgrows hold on to what was in them, and where entries come and go with every call,
 * that keeps finished calls alive until the next full collection. It doubled what the collector had to do.
 */
export class UnderWay<T> {
  readonly #places: (T | undefined)[] = [];
  readonly #freePlaces: number[] = [];

  /** @returns to be called once, when it is over */
  add(item: T): () => void {
    const place = this.#freePlaces.pop() ?? this.#places.length;
    this.#places[place] = item;
    return () => {
      this.#places[place] = undefined;
      this.#freePlaces.push(place);
    };
  }

  get all(): T[] {
    return this.#places.filter((item) => item !== undefined);
  }
}
