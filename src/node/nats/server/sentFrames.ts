import { settlesWithin } from "../../../lib/timers";
import type { ByteStream } from "../../../tunnels/protocol/wire";
import { messageLimit } from "../bodies";
import { frameCredit } from "../itemFrames";
import type { NatsLink } from "../link";
import { frameHeader, frameNumberHeader } from "../messageHeaders";

/** What sending a reply of items in frames takes. */
export interface SentFramesParts {
  readonly link: NatsLink;
  readonly address: string;
  /** How long a reader may take nothing while frames wait, in ms; 0: for ever. */
  readonly drainMs: number;
  /** How long what ends a reply waits for a broker that is away, in ms. */
  readonly offlineMs: number;
  /** A frame has left, so that no beat has to. */
  readonly onSent: () => void;
}

/** Why no further frames are sent before the end: the reader has left, takes nothing, or cannot be reached. */
export type FrameStop = "left" | "stalled" | "lost";

/**
 * A reply of items on its way out, in frames that are numbered from 1. As many are sent as its reader has asked for; nothing is
 * taken from the stream before, which suspends the task.
 */
export class SentFrames {
  readonly #parts: SentFramesParts;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #sent = 0;
  #taken = 0;
  #stopped: FrameStop | undefined;
  /** Whether the server waits for its readers no longer. */
  #isHurried = false;
  #wake: (() => void) | undefined;

  constructor(stream: ByteStream, parts: SentFramesParts) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#parts = parts;
  }

  /** @param taken how many frames the reader has taken in all; what makes no sense is ignored */
  grant(taken: number): void {
    if (!(taken > this.#taken && taken <= this.#sent)) return;
    this.#taken = taken;
    this.#wake?.();
  }

  stop(reason: FrameStop): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#wake?.();
    // The task learns of it, and nothing reads what it still makes.
    void this.#chunks.return?.().catch(() => {});
  }

  /** What there is still to send fits into the frame that ends the reply, or is cut. */
  hurry(): void {
    this.#isHurried = true;
    this.#wake?.();
  }

  /** Sends all of it. Resolves when it has ended, however it did; never rejects. */
  async send(): Promise<void> {
    try {
      if (!(await this.#sendChunks())) await this.#cut();
    } catch {
      // The reader takes nothing for too long, by the clock of the lines; or the connection is closed.
      this.stop("stalled");
      await this.#cut();
    }
  }

  /** @returns whether it is complete */
  async #sendChunks(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (this.#stopped !== undefined) return false;
      if (done === true) {
        this.#publish("end", new Uint8Array());
        return true;
      }
      for (const piece of this.#piecesOf(value)) {
        if (!this.#hasCredit && !this.#isHurried) await this.#whenCredited();
        if (this.#stopped !== undefined) return false;
        if (!this.#hasCredit) return this.#sendRest(piece === value ? piece : undefined);
        this.#publish("chunk", piece);
      }
    }
  }

  /** @param first what was taken already; `undefined`: too much for one frame */
  async #sendRest(first: Uint8Array | undefined): Promise<boolean> {
    const limit = messageLimit(this.#parts.link.maxPayload);
    const rest = first === undefined ? [] : [first];
    let bytes = first === undefined ? Infinity : first.byteLength;
    while (bytes <= limit && this.#stopped === undefined) {
      const { done, value } = await this.#chunks.next();
      if (done === true) {
        this.#publish("end", Buffer.concat(rest));
        return true;
      }
      rest.push(value);
      bytes += value.byteLength;
    }
    this.stop("stalled");
    return false;
  }

  get #hasCredit(): boolean {
    return this.#sent - this.#taken < frameCredit;
  }

  async #whenCredited(): Promise<void> {
    const { drainMs } = this.#parts;
    while (!this.#hasCredit && !this.#isHurried && this.#stopped === undefined) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const isWoken = await settlesWithin(woken, drainMs === 0 ? Infinity : drainMs);
      this.#wake = undefined;
      if (!isWoken) this.stop("stalled");
    }
  }

  *#piecesOf(chunk: Uint8Array): Generator<Uint8Array> {
    const limit = messageLimit(this.#parts.link.maxPayload);
    if (chunk.byteLength <= limit) yield chunk;
    else for (let at = 0; at < chunk.byteLength; at += limit) yield chunk.subarray(at, at + limit);
  }

  #publish(kind: "chunk" | "end", bytes: Uint8Array): void {
    const { link, address, onSent } = this.#parts;
    this.#sent += 1;
    const headers = link.headersOf({ [frameHeader]: kind, [frameNumberHeader]: String(this.#sent) });
    link.publish(address, bytes, { headers });
    onSent();
  }

  /** The reader is not to take what it has for all. */
  async #cut(): Promise<void> {
    const { link, address, offlineMs } = this.#parts;
    if (this.#stopped === "left" || !(await link.whenOnline(offlineMs))) return;
    link.publish(address, undefined, { headers: link.headersOf({ [frameHeader]: "cut" }) });
  }
}
