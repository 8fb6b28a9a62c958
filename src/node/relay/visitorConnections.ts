import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { networkOf } from "../../tunnels/http/callerAddress";
import type { FdPermits } from "./fdPermits";
import { visitorErrors, type VisitorError } from "./visitorError";

export interface VisitorConnectionsOptions {
  readonly permits: FdPermits;
  /** Connections of one address, or of one network of IPv6; those of this machine have no such limit, since proxies run there. */
  readonly maxPerAddress: number;
}

/** Refused connections that wait for a request, so that it can be answered; beyond that they are cut. */
const maxRefused = 128;

/** Counts the connections of visitors: over all of them, and by address. */
export class VisitorConnections {
  readonly #options: VisitorConnectionsOptions;
  readonly #byNetwork = new Map<string, number>();
  /** What became of a connection; `undefined` for one that is let in. */
  readonly #verdicts = new WeakMap<Socket, VisitorError | undefined>();
  #refused = 0;

  constructor(options: VisitorConnectionsOptions) {
    this.#options = options;
  }

  /**
   * A connection came in. Asked again, the answer is the same.
   *
   * @param address of the visitor; `undefined` where others come over the same connection
   * @returns what its requests are answered with instead
   */
  admit(socket: Socket, address: string | undefined): VisitorError | undefined {
    if (this.#verdicts.has(socket)) return this.#verdicts.get(socket);
    const verdict = this.#judge(socket, address);
    this.#verdicts.set(socket, verdict);
    if (verdict === undefined) return undefined;
    this.#refused += 1;
    socket.once("close", () => (this.#refused -= 1));
    if (this.#refused > maxRefused) socket.destroy();
    return verdict;
  }

  /**
   * A request of a visitor came over a connection that others share: it counts as a connection until `end` closes.
   *
   * @returns what it is answered with instead
   */
  admitShared(end: EventEmitter, address: string): VisitorError | undefined {
    return this.#count(end, address) ? undefined : visitorErrors.rateLimited;
  }

  #judge(socket: Socket, address: string | undefined): VisitorError | undefined {
    if (address !== undefined && !this.#count(socket, address)) return visitorErrors.rateLimited;
    const release = this.#options.permits.take();
    if (release === undefined) return visitorErrors.streamLimit;
    socket.once("close", release);
    return undefined;
  }

  #count(end: EventEmitter, address: string): boolean {
    if (isThisMachine(address)) return true;
    const network = networkOf(address);
    const count = this.#byNetwork.get(network) ?? 0;
    if (count >= this.#options.maxPerAddress) return false;
    this.#byNetwork.set(network, count + 1);
    end.once("close", () => this.#release(network));
    return true;
  }

  #release(network: string): void {
    const count = (this.#byNetwork.get(network) ?? 1) - 1;
    if (count === 0) this.#byNetwork.delete(network);
    else this.#byNetwork.set(network, count);
  }
}

const isThisMachine = (address: string): boolean => address === "::1" || address.startsWith("127.") || address === "";
