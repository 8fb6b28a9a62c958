import { frameHeader, isNoResponder, workerHeader } from "../messageHeaders";
import type { Inbox, NatsLink } from "../link";
import { beatMs } from "../client/pendingCalls";
import { Bag, type BagMember } from "../bag";

/** How long a call may take before its caller is told which worker has it, in ms. Most are over by then. */
const acceptMs = 20;

/** A call that its caller wants to know alive: it goes on for long enough that beats can be missed. */
export interface Beating extends BagMember {
  readonly address: string;
  /** Whether its caller has heard of it since the last beat. */
  isHeard: boolean;
}

/**
 * Tells callers that their calls are under way: which worker has each, and every second that it is still there. The broker answers
 * in the place of a caller that is not.
 */
export class Beats {
  readonly #link: NatsLink;
  readonly #worker: string;
  readonly #onGone: (address: string) => void;
  readonly #onFailed: (error: Error) => void;
  #inbox: Inbox | undefined;
  readonly #fresh = new Bag<Beating>();
  readonly #long = new Bag<Beating>();
  #accepting: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;

  /** @param onGone receives the address of a caller whose process is gone */
  constructor(
    link: NatsLink,
    worker: string,
    { onGone, onFailed }: { readonly onGone: (address: string) => void; readonly onFailed: (error: Error) => void },
  ) {
    this.#link = link;
    this.#worker = worker;
    this.#onGone = onGone;
    this.#onFailed = onFailed;
  }

  add(call: Beating): void {
    this.#fresh.add(call);
    this.#accepting ??= setTimeout(() => this.#accept(), acceptMs);
  }

  /** Goes on until the call is deleted, however short it was said to be; its caller knows the worker already. */
  keep(call: Beating): void {
    this.#fresh.delete(call);
    this.#long.add(call);
    this.#start();
  }

  delete(call: Beating): void {
    if (this.#fresh.delete(call)) return;
    if (this.#long.delete(call) && this.#long.size === 0) this.#stop();
  }

  close(): void {
    clearTimeout(this.#accepting);
    this.#stop();
    if (!this.#link.connection.isClosed()) this.#inbox?.close();
  }

  #accept(): void {
    this.#accepting = undefined;
    for (const call of this.#fresh.empty()) {
      this.#send(call, "accepted");
      this.#long.add(call);
    }
    if (this.#long.size > 0) this.#start();
  }

  #start(): void {
    this.#beating ??= setInterval(() => this.#beat(), beatMs);
  }

  #beat(): void {
    for (const call of this.#long) {
      if (call.isHeard) call.isHeard = false;
      else this.#send(call, "beat");
    }
  }

  #stop(): void {
    clearInterval(this.#beating);
    this.#beating = undefined;
  }

  #send({ address }: Beating, frame: "accepted" | "beat"): void {
    if (!this.#link.isOnline) return;
    const headers = this.#link.headersOf({ [frameHeader]: frame, [workerHeader]: this.#worker });
    const reply = this.#returnAddress(address);
    this.#link.publish(address, undefined, { headers, reply });
  }

  /** Where the broker says that nothing listens to the address of a caller. */
  #returnAddress(address: string): string {
    this.#inbox ??= this.#link.openInbox(
      (message) => {
        if (!isNoResponder(message)) return;
        this.#onGone(message.subject.slice(this.#inbox?.prefix.length).replaceAll("~", "."));
      },
      (error) => this.#onFailed(error),
    );
    // One token.
    return this.#inbox.prefix + address.replaceAll(".", "~");
  }
}
