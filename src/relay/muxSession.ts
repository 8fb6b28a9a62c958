import { CloseCode, ResetCode, type GoAwayCode } from "./codes";
import { decodeControl, encodeControl, type ControlMessage } from "./controlMessages";
import { WindowBudget } from "./credit";
import { EarlyResets } from "./earlyResets";
import {
  decodeOpen,
  decodeRequestHead,
  decodeReset,
  decodeWindow,
  encodeOpen,
  encodeRequestHead,
  type OpenPayload,
  type RequestHead,
} from "./framePayloads";
import { flagEnd, FrameType, maxStreamId, type Frame } from "./frames";
import { leastLoaded } from "./leastLoaded";
import type { Link } from "./link";
import { MuxLink, type LinkHost } from "./muxLink";
import { MuxStream } from "./muxStream";
import { opensStream, usedTwice } from "./opensStream";
import { MuxProtocolError } from "./protocolError";
import type { GoAwayOptions, MuxSessionOptions, SessionFailure, SessionSettings } from "./sessionContract";
import type { StreamHost } from "./streamContract";
import { TokenBucket } from "./tokenBucket";

/** Streams over one or several links. The first link that is attached is the primary one: it carries control messages. */
export class MuxSession implements LinkHost, StreamHost<MuxStream> {
  readonly #options: MuxSessionOptions;
  #settings: SessionSettings;
  #budget: WindowBudget;
  readonly #streams = new Map<number, MuxStream>();
  readonly #links: MuxLink[] = [];
  readonly #controlRate: TokenBucket;
  readonly #earlyResets: EarlyResets;
  #nextStreamId = 1;
  #heldBytes = 0;
  #overflows = 0;
  #openedTotal = 0;
  #isGoingAway = false;
  /** How links are closed once the last stream is over. */
  #retirement: { readonly closeCode: CloseCode; readonly reason: string; readonly cancel: () => void } | undefined;
  #isOver = false;

  constructor(options: MuxSessionOptions) {
    const { clock, role, settings } = options;
    this.#options = options;
    this.#settings = settings;
    this.#budget = new WindowBudget(settings.sessionBufferBytes);
    const { controlRate = 50, controlBurst = 200 } = settings;
    this.#controlRate = new TokenBucket(controlRate, controlBurst, clock.now());
    this.#earlyResets = new EarlyResets(role, settings.maxStreams, clock.now());
  }

  get activeStreams(): number {
    return this.#streams.size;
  }

  get streams(): Iterable<MuxStream> {
    return this.#streams.values();
  }

  /** Streams opened since the session began, over all its links. */
  get openedTotal(): number {
    return this.#openedTotal;
  }

  /** Whether the session has closed its links; it takes no other ones. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Where the ids of a session that takes this one's place begin: none is used again, until none is left. */
  get nextFirstStreamId(): number {
    return this.#nextStreamId > maxStreamId ? 1 : this.#nextStreamId;
  }

  get links(): readonly MuxLink[] {
    return this.#links;
  }

  /** What data that was received and not consumed is charged, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether visitors leave so fast that opening more streams would only flood the driver. */
  get isThrottled(): boolean {
    return this.#earlyResets.areTooMany(this.#options.clock.now());
  }

  /**
   * What was agreed on in the greeting, before the first stream.
   *
   * @param firstStreamId a session that is resumed uses no id again; default 1
   */
  agree(settings: SessionSettings, firstStreamId = 1): void {
    this.#settings = settings;
    this.#nextStreamId = firstStreamId;
    for (const link of this.#links) link.agree(settings.maxFrameBytes);
    this.#budget = new WindowBudget(settings.sessionBufferBytes);
  }

  /** Adds a link; bytes are given to what is returned. */
  attach(link: Link): MuxLink {
    const { clock } = this.#options;
    const muxLink = new MuxLink({ ...this.#settings, link, clock, host: this });
    this.#links.push(muxLink);
    return muxLink;
  }

  /** Takes a secondary link over from the session it greeted in, which has nothing else. */
  adopt(link: MuxLink): void {
    link.moveTo(this);
    link.agree(this.#settings.maxFrameBytes);
    this.#links.push(link);
  }

  /** The connection of a link is gone: its streams are, too; without the primary one, all are. */
  linkLost(link: MuxLink): void {
    const index = this.#links.indexOf(link);
    if (index === -1) return;
    const lost = index === 0 ? this.#links.splice(0) : this.#links.splice(index, 1);
    for (const each of lost) {
      if (each === link) each.detach();
      else each.close(CloseCode.GOING_AWAY);
      for (const stream of [...each.streams]) stream.abort(ResetCode.LINK_LOST, "The link was lost.");
    }
  }

  /** Opens a stream for a visitor's connection. @returns `undefined` where the session takes no more */
  openTcp({ bindId, ...addresses }: OpenPayload): MuxStream | undefined {
    const stream = this.#open("tcp", bindId);
    stream?.link.sendControl(FrameType.OPEN, 0, stream.id, encodeOpen({ bindId, ...addresses }));
    return stream;
  }

  /** Opens a stream for an HTTP exchange. @returns "tooLarge" for a head that no frame can hold */
  openHttp(head: RequestHead, flags: number): MuxStream | "tooLarge" | undefined {
    const payload = encodeRequestHead(head);
    if (payload.length > this.#settings.maxFrameBytes) return "tooLarge";
    const stream = this.#open("http", head.bindId);
    stream?.sendHead(payload, flags);
    return stream;
  }

  /** Cuts the streams of one binding, on both sides. */
  resetStreams(bindId: number, code: ResetCode): void {
    for (const stream of [...this.#streams.values()]) {
      if (stream.bindId === bindId) stream.resetAndReport(code, "The binding has gone.");
    }
  }

  send(message: ControlMessage): void {
    this.#links[0]?.sendControl(FrameType.CONTROL, 0, 0, encodeControl(message));
  }

  /** Opens no more streams, and says so. */
  goAway(code: GoAwayCode, { drainMs = 0, reconnect = false, message = "" }: GoAwayOptions = {}): void {
    this.#isGoingAway = true;
    this.send({ t: "GOAWAY", code, lastStreamId: this.#lastStreamId(), drainMs, reconnect, message });
  }

  /** Opens no more streams, and closes the links once those it has are over, or after `drainMs`. */
  retire(code: GoAwayCode, closeCode: CloseCode, options: GoAwayOptions = {}): void {
    if (this.#retirement !== undefined || this.#isOver) return;
    const { drainMs = 0, message = "" } = options;
    this.goAway(code, options);
    const cancel = this.#options.clock.after(drainMs, () => this.#finishRetirement());
    this.#retirement = { closeCode, reason: message, cancel };
    if (this.#streams.size === 0) this.#finishRetirement();
  }

  /** Ends all streams and links. Without a code the links are cut. */
  close(closeCode?: CloseCode, reason = ""): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#retirement?.cancel();
    const links = this.#links.splice(0);
    for (const link of links) link.close(closeCode, reason);
    for (const stream of [...this.#streams.values()]) stream.abort(ResetCode.LINK_LOST, "The session has ended.");
  }

  onFrame(frame: Frame, link: MuxLink): void {
    if (frame.type === FrameType.CONTROL) return this.#receiveControl(frame, link);
    const stream = this.#streams.get(frame.streamId);
    if (stream === undefined) {
      if (opensStream(frame, link.highestStreamId, this.#options.role)) this.#receiveOpening(frame, link);
      return;
    }
    if (stream.link !== link) throw new MuxProtocolError("A frame of a stream came over another link than its own.");
    const { payload, flags } = frame;
    switch (frame.type) {
      case FrameType.DATA:
        return stream.receiveData(payload, flags);
      case FrameType.HEAD:
        if (!stream.isOpener) throw usedTwice();
        return stream.receiveHead(payload, flags);
      case FrameType.TRAILERS:
        return stream.receiveTrailers(payload);
      case FrameType.WINDOW:
        return stream.receiveWindow(decodeWindow(payload));
      case FrameType.RESET:
        if (!stream.isAccepted && !stream.isOpener) this.#earlyResets.received(this.#options.clock.now());
        return stream.receiveReset(decodeReset(payload));
      case FrameType.ACCEPT:
        if (!stream.isOpener) throw new MuxProtocolError("ACCEPT arrived at the side that accepts.");
        return stream.receiveAccept();
      case FrameType.OPEN:
        throw usedTwice();
      case FrameType.PING:
      case FrameType.EXTENSION:
    }
  }

  onViolation({ code, closeCode, message }: MuxProtocolError): void {
    this.#fail({ code, closeCode, message });
  }

  onMeasured(link: MuxLink): void {
    this.#options.handler.onMeasured?.(link);
  }

  onSilent(link: MuxLink): void {
    // Of a secondary link only its own streams are lost.
    if (link !== this.#links[0]) {
      link.close();
      return this.linkLost(link);
    }
    const message = "Nothing arrived for too long.";
    // A driver that reconnects does not wait for a close that may never be answered.
    const closeCode = this.#options.role === "relay" ? CloseCode.IDLE_TIMEOUT : undefined;
    this.#fail({ code: "IDLE_TIMEOUT", closeCode, message });
  }

  onClosed(stream: MuxStream, resetCode: number | undefined): void {
    this.#options.handler.onStreamClosed?.(stream, resetCode);
    this.#streams.delete(stream.id);
    (stream.link as MuxLink).streams.delete(stream);
    // Its last bytes leave with the flush that is under way.
    if (this.#retirement !== undefined && this.#streams.size === 0) {
      this.#options.clock.soon(() => this.#finishRetirement());
    }
  }

  onHeld(_stream: MuxStream, bytes: number): void {
    this.#heldBytes += bytes;
    if (bytes <= 0 || this.#heldBytes <= this.#settings.sessionBufferBytes) return;
    const largest = [...this.#streams.values()].reduce((a, b) => (b.chargedBytes > a.chargedBytes ? b : a));
    largest.resetAndReport(ResetCode.QUOTA, "The session holds too many bytes.");
  }

  onEarlyReset(): void {
    this.#earlyResets.sent(this.#options.clock.now());
  }

  onOverflow(): boolean {
    this.#overflows += 1;
    if (this.#overflows > 1)
      throw new MuxProtocolError("More was sent than windows allow, and not for the first time.");
    return true;
  }

  #open(kind: "tcp" | "http", bindId: number): MuxStream | undefined {
    const { maxStreams } = this.#settings;
    const link = leastLoaded(this.#links);
    if (link === undefined || link.isOverloaded || this.isThrottled) return undefined;
    if (this.#isGoingAway || this.#streams.size >= maxStreams) return undefined;
    if (this.#nextStreamId > maxStreamId) {
      this.retire("ROLLOVER", CloseCode.DRAINED, {
        drainMs: rolloverMs,
        reconnect: true,
        message: "No stream id is left.",
      });
      return undefined;
    }
    const stream = this.#add(kind, this.#nextStreamId, link);
    stream.bindId = bindId;
    this.#nextStreamId += 2;
    return stream;
  }

  #add(kind: "tcp" | "http", id: number, link: MuxLink): MuxStream {
    const { windowBytes, maxWindowBytes } = this.#settings;
    const stream = new MuxStream({
      id,
      kind,
      isOpener: this.#options.role === "relay",
      link,
      host: this,
      budget: this.#budget,
      windowBytes,
      maxWindowBytes,
      sendWindowBytes: windowBytes,
    });
    link.highestStreamId = id;
    link.streams.add(stream);
    this.#streams.set(id, stream);
    this.#openedTotal += 1;
    link.measure();
    return stream;
  }

  #receiveControl({ payload }: Frame, link: MuxLink): void {
    if (!this.#controlRate.take(this.#options.clock.now())) {
      throw new MuxProtocolError("Too many control messages.", "ENHANCE_CALM", CloseCode.ENHANCE_CALM);
    }
    const message = decodeControl(payload);
    if (message === undefined) return;
    // A greeting that comes again means nothing on either.
    if (link !== this.#links[0] && !secondaryMessages.has(message.t)) {
      throw new MuxProtocolError(`${message.t} belongs on the primary link.`);
    }
    this.#options.handler.onControl(message, link);
  }

  #receiveOpening({ type, streamId, flags, payload }: Frame, link: MuxLink): void {
    const open = type === FrameType.OPEN ? decodeOpen(payload) : undefined;
    const isFull = this.#streams.size >= this.#settings.maxStreams;
    const stream = this.#add(open === undefined ? "http" : "tcp", streamId, link);
    if (isFull) return stream.reset(ResetCode.STREAM_LIMIT, "The driver takes no more streams.");
    const { handler } = this.#options;
    if (open !== undefined) return handler.onStream?.(stream, { kind: "tcp", open });
    stream.orReset(() => handler.onStream?.(stream, { kind: "http", head: decodeRequestHead(payload), flags }));
    if (flags & flagEnd && !stream.isClosed) stream.receiveData(noBytes, flagEnd);
  }

  #fail(failure: SessionFailure): void {
    if (this.#isOver) return;
    this.goAway(failure.code, { message: failure.message, reconnect: failure.code === "IDLE_TIMEOUT" });
    this.close(failure.closeCode, failure.message);
    this.#options.handler.onFailed(failure);
  }

  #finishRetirement(): void {
    if (this.#isOver || this.#retirement === undefined) return;
    const { closeCode, reason } = this.#retirement;
    this.close(closeCode, reason);
    this.#options.handler.onRetired?.();
  }

  #lastStreamId(): number {
    return this.#options.role === "relay"
      ? Math.max(0, this.#nextStreamId - 2)
      : Math.max(0, ...this.#links.map(({ highestStreamId }) => highestStreamId));
  }
}

/** How long streams may go on when the session has used up its stream ids, in ms. */
const rolloverMs = 30_000;

/** What may arrive over other links than the primary one. */
const secondaryMessages: ReadonlySet<ControlMessage["t"]> = /* @__PURE__ */ new Set([
  "HELLO",
  "HELLO_OK",
  "HELLO_ERR",
  "GOAWAY",
]);

const noBytes = /* @__PURE__ */ new Uint8Array(0);
