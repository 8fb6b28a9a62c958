import type { Socket } from "node:net";
import { plainAddress } from "../../tunnels/http/callerAddress";
import type { AddressSet } from "../server/addressSet";
import { RequestTurns } from "./requestTurns";

/** What the requests of one connection have in common. */
export interface VisitorSocket {
  /** Of the peer, as the system names it. */
  readonly address: string;
  /** As `address`, in its plain form. */
  readonly peer: string;
  /** `address:port` of the peer. */
  readonly from: string;
  readonly localPort: number;
  readonly isEncrypted: boolean;
  /** Whether the peer is a proxy whose headers count. */
  readonly isTrusted: boolean;
  readonly turns: RequestTurns;
}

/** Reads each connection once: a visitor that keeps it alive sends many requests. */
export class VisitorSockets {
  readonly #trustedProxies: AddressSet;
  readonly #read = new WeakMap<Socket, VisitorSocket>();

  constructor(trustedProxies: AddressSet) {
    this.#trustedProxies = trustedProxies;
  }

  of(socket: Socket & { readonly encrypted?: boolean }): VisitorSocket {
    const before = this.#read.get(socket);
    if (before !== undefined) return before;
    const { remoteAddress = "", remotePort = 0, localPort = 0, encrypted = false } = socket;
    const peer = plainAddress(remoteAddress);
    const turns = new RequestTurns();
    // After Node has told what it tells.
    socket.once("close", () => process.nextTick(() => turns.lose()));
    const facts: VisitorSocket = {
      address: remoteAddress,
      peer,
      from: `${remoteAddress}:${remotePort}`,
      localPort,
      isEncrypted: encrypted,
      isTrusted: this.#trustedProxies.has(remoteAddress),
      turns,
    };
    this.#read.set(socket, facts);
    return facts;
  }
}
