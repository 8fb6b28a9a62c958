import type { Msg } from "@nats-io/transport-node";
import type { TunnelError } from "../../../errors/tunnelError";
import { connectionLost, denied, noResponder, workerLost } from "../brokerErrors";
import { frameHeader, isNoResponder, workerHeader } from "../messageHeaders";
import type { Inbox, NatsLink } from "../link";

/** How often a worker says that it is still there, in ms. */
export const beatMs = 1000;
/** How long a call that a worker has taken, or should have, may be silent: three beats. */
const silenceMs = 3000;

/** A call that waits for its reply. */
export interface PendingCall {
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
  readonly #calls = new Map<string, PendingCall>();
  readonly #link: NatsLink;
  readonly #onStray: (worker: string, address: string) => void;
  readonly #stopListening: () => void;
  #inbox: Inbox | undefined;
  #nextId = 0;
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
    return this.#calls.size;
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
    const address = this.#inbox.prefix + (this.#nextId++).toString(36);
    this.#calls.set(address, call);
    if (this.#timer === undefined) this.#watch();
    return address;
  }

  delete(address: string): void {
    this.#calls.delete(address);
    if (this.#calls.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @param errorOf tells of each what it fails with; `undefined`: it goes on */
  failAll(errorOf: (call: PendingCall) => TunnelError | undefined): void {
    for (const [address, call] of [...this.#calls]) {
      const error = errorOf(call);
      if (error === undefined) continue;
      this.delete(address);
      call.onFailed(error);
    }
  }

  close(): void {
    this.#stopListening();
    if (!this.#link.connection.isClosed()) this.#inbox?.close();
  }

  #receive(message: Msg): void {
    const call = this.#calls.get(message.subject);
    const { headers } = message;
    if (call === undefined) {
      const worker = headers?.get(workerHeader);
      if (worker) this.#onStray(worker, message.subject);
      return;
    }
    if (headers !== undefined) {
      if (isNoResponder(message)) {
        this.delete(message.subject);
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
    this.delete(message.subject);
    call.onReply(message);
  }

  #watch(): void {
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      // A process that stood still has beats to read first.
      const stoodStill = now - this.#tickedAtMs > 2 * beatMs;
      this.#tickedAtMs = now;
      if (stoodStill) {
        for (const call of this.#calls.values()) call.heardAtMs = Math.max(call.heardAtMs, now - beatMs);
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
