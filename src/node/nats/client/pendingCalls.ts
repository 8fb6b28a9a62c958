import type { Msg } from "@nats-io/transport-node";
import type { TunnelError } from "../../../errors/tunnelError";
import { connectionLost, denied, noResponder, workerLost } from "../brokerErrors";
import { frameHeader, isNoResponder, workerHeader } from "../messageHeaders";
import type { Inbox, NatsLink } from "../link";
import { NumberedCalls } from "./numberedCalls";

/** How often a worker says that it is still there, in ms. */
export const beatMs = 1000;
/** How long a call that a worker has taken, or should have, may be silent: three beats. */
const silenceMs = 3000;

/** A call that waits for its reply. */
export interface PendingCall {
  /** Names it among those of its client, and in the address of its reply. Both are given by `add`. */
  number: number;
  address: string;
  readonly subject: string;
  /** Whether its worker sends beats: not for calls that are over before three of them could be missed. */
  isWatched: boolean;
  onReply(message: Msg): void;
  /** A part of a reply of items; absent where none is asked for. */
  onItems?: ((kind: string, message: Msg) => void) | undefined;
  onFailed(error: TunnelError): void;
  /** Where it asks for more of its reply. */
  granting?: string | undefined;
  /** When anything of it was heard last, in ms of `performance.now()`. */
  heardAtMs: number;
  /** Which worker has taken it. */
  worker: string | undefined;
  /** Called with the worker once it is known, where the caller has left before. */
  onWorker: ((worker: string) => void) | undefined;
}

/** The calls of one client that are under way: one inbox, and one timer for all. */
export class PendingCalls {
  readonly #calls = new NumberedCalls<PendingCall>();
  readonly #link: NatsLink;
  readonly #onStray: (worker: string, address: string) => void;
  readonly #stopListening: () => void;
  #inbox: Inbox | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tickedAtMs = 0;

  /** @param onStray receives who works on a call that was given up: what told it so may have been lost */
  constructor(link: NatsLink, onStray: (worker: string, address: string) => void) {
    this.#link = link;
    this.#onStray = onStray;
    this.#stopListening = link.listen({
      onLost: () => this.failAll((call) => connectionLost(call.subject)),
      onDenied: ({ operation, subject }) => {
        if (operation !== "publish") return;
        this.failAll(({ subject: own, granting }) =>
          own === subject || granting === subject ? denied(subject) : undefined,
        );
      },
    });
  }

  get count(): number {
    return this.#calls.count;
  }

  /** @returns the address of its reply */
  add(call: PendingCall): string {
    this.#inbox ??= this.#link.openInbox(
      (message) => this.#receive(message),
      () => {
        // What the permissions forbid may be allowed when the inbox is opened again.
        this.#inbox = undefined;
        this.failAll(() => denied("the inbox of the client"));
      },
    );
    if (this.#timer === undefined) this.#watch();
    return (call.address = this.#inbox.prefix + this.#calls.add(call).toString(36));
  }

  delete(call: PendingCall): void {
    this.#calls.delete(call);
  }

  /** @param errorOf tells of each what it fails with; `undefined`: it goes on */
  failAll(errorOf: (call: PendingCall) => TunnelError | undefined): void {
    for (const call of this.#calls.all()) {
      const error = errorOf(call);
      if (error === undefined) continue;
      this.delete(call);
      call.onFailed(error);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
    if (!this.#link.connection.isClosed()) this.#inbox?.close();
  }

  #receive(message: Msg): void {
    const address = message.subject;
    const call = this.#calls.get(numberOf(address));
    const { headers } = message;
    if (call?.address !== address) {
      const worker = headers?.get(workerHeader);
      if (worker) this.#onStray(worker, address);
      return;
    }
    if (headers !== undefined) {
      if (isNoResponder(message)) {
        this.delete(call);
        call.onFailed(noResponder(call.subject));
        return;
      }
      const frame = headers.get(frameHeader);
      if (frame !== "") {
        call.heardAtMs = performance.now();
        call.worker = headers.get(workerHeader) || call.worker;
        if (call.worker !== undefined) call.onWorker?.(call.worker);
        if (frame !== "accepted" && frame !== "beat") call.onItems?.(frame, message);
        return;
      }
    }
    this.delete(call);
    call.onReply(message);
  }

  /** Until nothing is under way at one of its ticks: calls one after the other need not start it for each. */
  #watch(): void {
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => {
      if (this.#calls.count === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
        return;
      }
      const now = performance.now();
      // A process that stood still has beats to read first.
      const stoodStill = now - this.#tickedAtMs > 2 * beatMs;
      this.#tickedAtMs = now;
      if (stoodStill) {
        for (const call of this.#calls.all()) call.heardAtMs = Math.max(call.heardAtMs, now - beatMs);
        return;
      }
      this.failAll((call) =>
        call.isWatched && now - call.heardAtMs > silenceMs
          ? workerLost(call.subject, call.worker, silenceMs)
          : undefined,
      );
    }, beatMs / 2);
  }
}

/** What is behind the last dot. */
const numberOf = (address: string): number => Number.parseInt(address.slice(address.lastIndexOf(".") + 1), 36);
