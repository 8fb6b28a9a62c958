import { ArrivalOrder } from "./arrivalOrder";
import { ResetCode } from "./codes";
import { ReceiveWindow, SendCredit } from "./credit";
import {
  decodeTrailers,
  encodeReset,
  encodeTrailers,
  encodeWindow,
  type FlatHeaders,
  type ResetPayload,
  type WindowPayload,
} from "./framePayloads";
import { encodeFrameHeader, flagEnd, FrameType } from "./frames";
import { MuxProtocolError } from "./protocolError";
import type { MuxStreamOptions, StreamHandler, StreamHost, StreamLink } from "./streamContract";
import { takeBytes } from "./takeBytes";

/** A source is told to pause once this much of it waits, in bytes. */
const queueHighWaterBytes = 65_536;

/** One visitor's connection, or one HTTP exchange: two directions that end by themselves, with credit each. */
export class MuxStream {
  readonly id: number;
  readonly kind: "tcp" | "http";
  readonly isOpener: boolean;
  readonly link: StreamLink<MuxStream>;
  handler: StreamHandler = ignoresAll;
  isAccepted = false;
  /** The binding it was opened for; 0 on the side that did not open it. */
  bindId = 0;
  readonly #host: StreamHost<MuxStream>;
  readonly #credit: SendCredit;
  readonly #window: ReceiveWindow;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isPaused = false;
  #isEnding = false;
  #trailers: FlatHeaders | undefined;
  #hasSentEnd = false;
  readonly #arrival: ArrivalOrder;
  #isClosed = false;

  constructor(options: MuxStreamOptions<MuxStream>) {
    this.id = options.id;
    this.kind = options.kind;
    this.isOpener = options.isOpener;
    this.link = options.link;
    this.#host = options.host;
    this.#credit = new SendCredit(options.sendWindowBytes);
    this.#window = new ReceiveWindow(options, options.link.now());
    this.#arrival = new ArrivalOrder({ isHttp: options.kind === "http", isOpener: options.isOpener });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Received and not consumed, in bytes. */
  get heldBytes(): number {
    return this.#window.heldBytes;
  }

  /** What the session is charged for data that was received and not consumed, in bytes. */
  get chargedBytes(): number {
    return this.#window.chargedBytes;
  }

  /** Bytes of the body that were sent. */
  get sentBytes(): number {
    return this.#credit.sentTotal;
  }

  /** Bytes of the body that were received. */
  get receivedBytes(): number {
    return this.#window.receivedTotal;
  }

  /**
   * A head over the frame size of the peer cuts the stream instead.
   *
   * @param flags `flagEnd` where no body follows
   */
  sendHead(payload: Uint8Array, flags = 0): void {
    if (this.#isClosed) return;
    if (payload.length > this.link.maxFrameBytes) {
      return this.resetAndReport(ResetCode.INTERNAL, "The head is larger than a frame.");
    }
    this.link.sendControl(FrameType.HEAD, flags, this.id, payload);
    if (flags & flagEnd) this.#sentEnd();
  }

  /** Says that the stream's opening was taken. */
  accept(): void {
    if (this.#isClosed || this.isAccepted) return;
    this.isAccepted = true;
    this.link.sendControl(FrameType.ACCEPT, 0, this.id, noBytes);
  }

  /** @returns whether more may be written at once; else `onDrain` follows */
  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#isEnding || bytes.length === 0) return !this.#isClosed;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#credit.availableBytes > 0) this.link.markReady(this);
    if (this.#queuedBytes < queueHighWaterBytes && !this.link.isCongested) return true;
    if (!this.#isPaused) this.link.markPaused(this);
    this.#isPaused = true;
    return false;
  }

  /** Ends this direction after what was written. */
  end(trailers?: FlatHeaders): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    this.#trailers = trailers;
    this.link.markReady(this);
  }

  /** Cuts both directions; what was written and not sent is dropped. */
  reset(code: ResetCode, reason = ""): void {
    if (this.#isClosed) return;
    if (this.isOpener && !this.isAccepted) this.#host.onEarlyReset();
    const { droppedOpening } = this.link.dropQueued(this);
    if (!droppedOpening) {
      const payload = encodeReset({ code, receivedTotal: this.#window.receivedTotal, reason });
      this.link.sendControl(FrameType.RESET, 0, this.id, payload);
    }
    this.#close(code);
  }

  /** The destination took bytes that were received. */
  consumed(bytes: number): void {
    if (this.#isClosed) return;
    const chargedBefore = this.#window.chargedBytes;
    const update = this.#window.consume(bytes, this.link.now(), this.link.minRttMs);
    this.#host.onHeld(this, this.#window.chargedBytes - chargedBefore);
    this.#closeIfDone();
    if (update !== undefined && !this.#arrival.hasEnded) {
      this.link.sendControl(FrameType.WINDOW, 0, this.id, encodeWindow(update));
    }
  }

  // From here on: for the link.

  /** Whether a frame can be sent now. */
  get isReady(): boolean {
    if (this.#isClosed || this.#hasSentEnd) return false;
    return this.#queuedBytes > 0 ? this.#credit.availableBytes > 0 : this.#isEnding;
  }

  /** Appends one frame to `pieces`. @returns its size in bytes; 0 when there is none */
  takeFrame(maxPayloadBytes: number, pieces: Uint8Array[]): number {
    if (!this.isReady) return 0;
    if (this.#queuedBytes === 0) return this.#takeEnd(pieces);
    const payloadBytes = Math.min(this.#queuedBytes, this.#credit.availableBytes, maxPayloadBytes);
    const isLast = this.#isEnding && this.#trailers === undefined && payloadBytes === this.#queuedBytes;
    pieces.push(encodeFrameHeader(FrameType.DATA, isLast ? flagEnd : 0, this.id, payloadBytes));
    takeBytes(this.#queue, payloadBytes, pieces);
    this.#queuedBytes -= payloadBytes;
    this.#credit.spend(payloadBytes);
    if (isLast) this.#sentEnd();
    return payloadBytes + frameOverheadBytes;
  }

  /** Called after a flush. @returns whether the stream waits no more */
  drainIfLow(): boolean {
    if (this.#isClosed || !this.#isPaused) return true;
    if (this.#queuedBytes >= queueHighWaterBytes / 2 || this.link.isCongested) return false;
    this.#isPaused = false;
    this.handler.onDrain?.();
    // It may have written until it was paused again.
    return !this.#isPaused;
  }

  /** @throws {MuxProtocolError} bytes before a head, or after the end */
  receiveData(bytes: Uint8Array, flags: number): void {
    this.#arrival.data();
    const chargedBefore = this.#window.chargedBytes;
    if (!this.#window.receive(bytes.length)) {
      if (this.#host.onOverflow()) this.resetAndReport(ResetCode.FLOW_CONTROL, "More was sent than the window allows.");
      return;
    }
    if (bytes.length > 0) {
      this.#host.onHeld(this, this.#window.chargedBytes - chargedBefore);
      // The session may hold too much, and this stream may hold most of it.
      if (this.#isClosed) return;
      if (this.handler.onData === undefined) this.consumed(bytes.length);
      else this.handler.onData(bytes, (flags & flagEnd) !== 0);
    }
    if (flags & flagEnd) this.#receivedEnd();
  }

  /** @throws {MuxProtocolError} a head that cannot follow what arrived before */
  receiveHead(payload: Uint8Array, flags: number): void {
    if (!this.#arrival.head(flags, payload.length)) {
      return this.resetAndReport(ResetCode.QUOTA, "The response has too many interim heads.");
    }
    this.orReset(() => this.handler.onHead?.(payload, flags));
    if (flags & flagEnd) this.#receivedEnd();
  }

  /** @throws {MuxProtocolError} trailers before a head, or after the end */
  receiveTrailers(payload: Uint8Array): void {
    this.#arrival.trailers();
    this.orReset(() => this.handler.onTrailers?.(decodeTrailers(payload)));
    this.#receivedEnd();
  }

  /** Lets a head or trailers that make no sense cost their stream only: an application may have made them. */
  orReset(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof MuxProtocolError)) throw error;
      this.resetAndReport(ResetCode.INTERNAL, error.message);
    }
  }

  receiveWindow(update: WindowPayload): void {
    if (!this.#hasSentEnd && this.#credit.update(update) && this.isReady) this.link.markReady(this);
  }

  receiveAccept(): void {
    if (this.isAccepted) return;
    this.isAccepted = true;
    this.handler.onAccept?.();
  }

  receiveReset({ code, reason }: ResetPayload): void {
    this.link.dropQueued(this);
    this.abort(code, reason);
  }

  /** Resets, and lets the handler know as if the peer had. */
  resetAndReport(code: ResetCode, reason: string): void {
    if (this.#isClosed) return;
    const { handler } = this;
    this.reset(code, reason);
    handler.onReset?.({ code, reason });
  }

  /** The link is gone: a RESET cannot be sent. */
  abort(code: number, reason: string): void {
    if (this.#isClosed) return;
    const { handler } = this;
    this.#close(code);
    handler.onReset?.({ code, reason });
  }

  #takeEnd(pieces: Uint8Array[]): number {
    const trailers = this.#trailers === undefined ? noBytes : encodeTrailers(this.#trailers);
    // Trailers may be dropped (RFC 9110 section 6.5.1), which is what happens to those that no frame can hold.
    const isTrailers = trailers.length > 0 && trailers.length <= this.link.maxFrameBytes;
    const payload = isTrailers ? trailers : noBytes;
    const type = isTrailers ? FrameType.TRAILERS : FrameType.DATA;
    pieces.push(encodeFrameHeader(type, flagEnd, this.id, payload.length));
    if (payload.length > 0) pieces.push(payload);
    this.#sentEnd();
    return payload.length + frameOverheadBytes;
  }

  #sentEnd(): void {
    this.#hasSentEnd = true;
    this.#isEnding = true;
    this.#closeIfDone();
  }

  #receivedEnd(): void {
    // The handler may have cut the stream meanwhile.
    if (this.#isClosed) return;
    this.#arrival.end();
    this.handler.onEnd?.();
    this.#closeIfDone();
  }

  /** A stream counts until its last byte was consumed, since it holds memory until then. */
  #closeIfDone(): void {
    if (this.#hasSentEnd && this.#arrival.hasEnded && this.#window.heldBytes === 0) this.#close();
  }

  #close(resetCode?: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#host.onHeld(this, -this.#window.chargedBytes);
    this.#window.release();
    // V8 keeps what a map has held until the next major collection, if the map has outlived minor ones.
    this.handler = ignoresAll;
    this.#host.onClosed(this, resetCode);
  }
}

/** Of every stream, until something is joined to it. */
const ignoresAll: StreamHandler = /* @__PURE__ */ Object.freeze({});

const noBytes = /* @__PURE__ */ new Uint8Array(0);
const frameOverheadBytes = 8;
