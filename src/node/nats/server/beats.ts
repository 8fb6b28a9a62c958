import { frameHeader, workerHeader } from "../messageHeaders";
import type { NatsLink } from "../link";
import { beatMs } from "../client/pendingCalls";

/** How long a call may take before its caller is told which worker has it, in ms. Most are over by then. */
const acceptMs = 20;

/** A call that its caller wants to know alive. */
interface Beating {
  readonly address: string;
  /** Whether it goes on for long enough that beats can be missed. */
  readonly isLong: boolean;
}

/** Tells callers that their calls are under way: which worker has each, and every second that it is still there. */
export class Beats {
  readonly #link: NatsLink;
  readonly #worker: string;
  readonly #fresh = new Set<Beating>();
  readonly #long = new Set<Beating>();
  #accepting: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;

  constructor(link: NatsLink, worker: string) {
    this.#link = link;
    this.#worker = worker;
  }

  add(call: Beating): void {
    this.#fresh.add(call);
    this.#accepting ??= setTimeout(() => this.#accept(), acceptMs);
  }

  delete(call: Beating): void {
    if (this.#fresh.delete(call)) return;
    if (this.#long.delete(call) && this.#long.size === 0) this.#stop();
  }

  close(): void {
    clearTimeout(this.#accepting);
    this.#stop();
  }

  #accept(): void {
    this.#accepting = undefined;
    for (const call of this.#fresh) {
      this.#send(call, "accepted");
      if (call.isLong) this.#long.add(call);
    }
    this.#fresh.clear();
    if (this.#long.size > 0) this.#beating ??= setInterval(() => this.#beat(), beatMs);
  }

  #beat(): void {
    for (const call of this.#long) this.#send(call, "beat");
  }

  #stop(): void {
    clearInterval(this.#beating);
    this.#beating = undefined;
  }

  #send({ address }: Beating, frame: "accepted" | "beat"): void {
    if (!this.#link.isOnline) return;
    const headers = this.#link.headersOf({ [frameHeader]: frame, [workerHeader]: this.#worker });
    this.#link.connection.publish(address, undefined, { headers });
  }
}
