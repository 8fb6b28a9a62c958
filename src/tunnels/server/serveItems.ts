import { ofBegunCall } from "../../errors/begunCall";
import { itemTooLarge, notAcceptable, serverClosing, tooManyStreams, type WireFailure } from "../../errors/wireErrors";
import type { ItemSource } from "../../lib/itemReader";
import { linkSignals, type LinkedSignal } from "../../lib/linkSignals";
import { onAbort } from "../../lib/onAbort";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { settlesWithin } from "../../lib/timers";
import type { SerializerLike } from "../../serializer/codec";
import { heartbeatHeader, itemsContentType } from "../protocol/headers";
import {
  acceptsItems,
  headMs,
  inOneLine,
  itemLimits,
  itemLine,
  resultLine,
  type ResolvedStreamLimits,
} from "../protocol/items";
import { LineWriter } from "../protocol/lineWriter";
import type { WireRequest, WireResponse } from "../protocol/wire";
import { errorText, type Phase } from "./errorReply";

/** How long a body may go on after its stream was given up before that is reported, in ms. */
const leftRunningMs = 5000;

/** The streams of items that a server has open. */
export class OpenStreams {
  readonly #limits: ResolvedStreamLimits;
  #count = 0;

  constructor(limits: ResolvedStreamLimits = itemLimits) {
    this.#limits = limits;
  }

  /** Takes a place for the reply of a streamed task. @throws {WireFailure} 406 or 503 */
  open({ target, headers }: WireRequest): ServedItems {
    if (!acceptsItems(headers["accept"])) throw notAcceptable(target.id);
    return new ServedItems(this.#limits, this.take());
  }

  /** Takes a place. @returns gives it back; called once @throws {WireFailure} 503 */
  take(): () => void {
    if (this.#count >= this.#limits.open) throw tooManyStreams();
    this.#count += 1;
    return () => void (this.#count -= 1);
  }
}

/** What replying with items takes, beside the items. */
export interface ItemsReply {
  readonly id: string;
  readonly serializer: SerializerLike;
  /** What the caller learns of an error, which is reported if that is nothing. */
  readonly failureOf: (error: unknown, phase: Phase) => WireFailure;
  /** Receives why the data of an error is left out. */
  readonly onUnwritable: (error: unknown) => void;
  /** Receives that a body goes on although its stream was given up. */
  readonly onLeftRunning: (error: Error) => void;
  readonly isShutDown: () => boolean;
  /** Aborts when the time of the call is up: it limits the time to the first item. */
  readonly expired: AbortSignal | undefined;
  /** Rejects when the form that came with the call is broken. */
  readonly broken: Promise<void> | undefined;
  /** The first item is there. */
  readonly onOpened: () => void;
  readonly onEnd: () => void;
}

/** The items that reply to one call. */
export class ServedItems {
  readonly #limits: ResolvedStreamLimits;
  readonly #leave: () => void;
  readonly #stopped = new AbortController();
  #linked: LinkedSignal | undefined;
  readonly #released: Promise<void>;
  #onReleased!: () => void;
  #stopFollowing: (() => void) | undefined;
  #isClosed = false;
  /** The body was told to end, and may not have yet. */
  #isLetGo = false;

  constructor(limits: ResolvedStreamLimits, leave: () => void) {
    this.#limits = limits;
    this.#leave = leave;
    this.#released = new Promise((resolve) => (this.#onReleased = resolve));
  }

  /** The signal of the body: it follows the caller's for as long as the stream lasts. */
  follow(caller: AbortSignal | undefined, expired: AbortSignal | undefined): AbortSignal {
    this.#linked = linkSignals([caller, expired, this.#stopped.signal].filter((each) => each !== undefined));
    this.#stopFollowing = caller && onAbort(caller, () => this.#stopped.abort(caller.reason));
    return this.#linked.signal;
  }

  /** Gives the place back. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopFollowing?.();
    this.#linked?.release();
    this.#leave();
  }

  /**
   * The reply, once the first item is there or a second has passed.
   *
   * @throws what the call fails with until then
   */
  async reply(running: Promise<ItemSource>, reply: ItemsReply): Promise<WireResponse> {
    const { heartbeatMs, drainMs } = this.#limits;
    const unbroken = reply.broken === undefined ? running : Promise.race([running, reply.broken.then(() => running)]);
    const opening = Promise.resolve(settleOrAbort(settleOrAbort(unbroken, reply.expired), this.#stopped.signal));
    let isBegun: boolean;
    try {
      isBegun = await settlesWithin(opening, headMs);
    } catch (error) {
      reply.onEnd();
      this.#letGo(running, reply, error);
      throw error;
    }
    const lines = new LineWriter({
      heartbeatMs,
      drainMs,
      onStopped: () => this.#stopped.abort(new DOMException("The reader of the items has left.", "AbortError")),
    });
    void this.#send(opening, running, lines, reply);
    return {
      status: 200,
      contentType: itemsContentType,
      headers: {
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        [heartbeatHeader]: String(heartbeatMs),
      },
      body: { kind: "stream", stream: lines, isItems: true, flushHeaders: !isBegun, released: this.#released },
    };
  }

  /** Never rejects. */
  async #send(
    opening: Promise<ItemSource>,
    running: Promise<ItemSource>,
    lines: LineWriter,
    reply: ItemsReply,
  ): Promise<void> {
    const { signal } = this.#stopped;
    const stop = onAbort(signal, () => {
      if (reply.isShutDown()) lines.end(this.#failureLine(ofBegunCall(serverClosing()), reply));
      this.#letGo(running, reply, signal.reason);
      this.#end(reply);
    });
    let phase: Phase = "run";
    try {
      const source = await opening;
      reply.onOpened();
      while (lines.isOpen) {
        const { done, value } = await source.next();
        if (!lines.isOpen) break;
        phase = "encode";
        if (done === true) {
          lines.end(this.#checked(resultLine(value, reply.serializer), reply));
          break;
        }
        if (!lines.write(this.#checked(itemLine(value, reply.serializer), reply))) await lines.ready();
        phase = "run";
      }
    } catch (error) {
      if (lines.isOpen) lines.end(this.#failureLine(reply.failureOf(error, phase), reply));
      this.#letGo(running, reply, error);
    } finally {
      stop();
      if (!this.#isLetGo) this.#onReleased();
      this.#end(reply);
    }
  }

  #end(reply: ItemsReply): void {
    if (this.#isClosed) return;
    this.close();
    reply.onEnd();
  }

  /** Ends the call, which is waited for no longer. */
  #letGo(running: Promise<ItemSource>, { id, onLeftRunning }: ItemsReply, reason: unknown): void {
    this.#isLetGo = true;
    const done = running.then(
      (source) => source.cancel(reason),
      () => {},
    );
    void done.then(this.#onReleased, this.#onReleased);
    void settlesWithin(done, leftRunningMs).then((isDone) => {
      if (!isDone) onLeftRunning(new Error(`Task "${id}" goes on ${leftRunningMs} ms after its stream was given up.`));
    });
  }

  /** @throws {WireFailure} the line is too long */
  #checked(line: string, { id }: ItemsReply): string {
    if (isLonger(line, this.#limits.lineBytes)) throw itemTooLarge(id, this.#limits.lineBytes);
    return line;
  }

  #failureLine(failure: WireFailure, { serializer, onUnwritable }: ItemsReply): string {
    const line = inOneLine(errorText(failure, serializer, onUnwritable));
    if (!isLonger(line, this.#limits.lineBytes)) return line;
    const { message, code } = failure;
    return JSON.stringify({ ok: false, error: { message: message.slice(0, 1024), code } });
  }
}

/** Whether a text takes more bytes; at most three for each of its UTF-16 units. */
const isLonger = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && (text.length > bytes || new TextEncoder().encode(text).byteLength > bytes);
