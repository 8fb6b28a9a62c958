import type { Clock } from "./clock";
import { CloseCode } from "./codes";
import { flagAck, frameHeaderBytes, FrameReader, FrameType, writeFrameHeader, writeUint32, type Frame } from "./frames";
import { malformed } from "./framePayloads";
import { Keepalive } from "./keepalive";
import type { Link } from "./link";
import type { MuxStream } from "./muxStream";
import { MuxProtocolError } from "./protocolError";
import type { StreamLink } from "./streamContract";

/** What a session does for its links. */
export interface LinkHost {
  /** PING frames excepted. @throws {MuxProtocolError} the frame ends the session */
  onFrame(frame: Frame, link: MuxLink): void;
  /** The peer broke the protocol; the host says goodbye and closes. */
  onViolation(error: MuxProtocolError, link: MuxLink): void;
  /** Nothing arrived for too long. */
  onSilent(link: MuxLink): void;
  /** A PING was answered; `rttMs` of the link is new. */
  onMeasured(link: MuxLink): void;
}

export interface MuxLinkOptions {
  readonly link: Link;
  readonly host: LinkHost;
  readonly clock: Clock;
  /** Largest payload of a frame, in bytes, in both directions. */
  readonly maxFrameBytes: number;
  readonly pingMs: number;
  readonly deadMs: number;
  /** Above this, sources pause; default 1 MiB. */
  readonly congestedBytes?: number | undefined;
  /** Above this, the link is closed: the peer reads nothing; default 16 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Above this many replies that wait for the peer to read them, the link is closed; default 4096. */
  readonly maxControlFrames?: number | undefined;
}

/** One flush sends about this much data, in bytes; with one more frame it still fits into a message. */
const flushBytes = 262_136;

interface ControlFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/**
 * One link of a session: bytes to frames, and frames to messages.
 *
 * Control frames leave before data. Data leaves one frame per ready stream in turn, so that a large stream delays a
 * small one by one frame at most. Reading never waits for writing.
 */
export class MuxLink implements StreamLink<MuxStream> {
  readonly #options: MuxLinkOptions;
  #host: LinkHost;
  #maxFrameBytes: number;
  readonly #reader: FrameReader;
  readonly #keepalive: Keepalive;
  #control: ControlFrame[] = [];
  #controlBytes = 0;
  /** Replies that the connection has not taken: a peer that asks and does not read could make us keep any number. */
  #unreadReplies = 0;
  /** Ready streams in the order of their turns; a set keeps each once. */
  readonly #ready = new Set<MuxStream>();
  readonly #paused = new Set<MuxStream>();
  readonly streams = new Set<MuxStream>();
  /** Highest id of a stream that was opened on this link. */
  highestStreamId = 0;
  #isFlushScheduled = false;
  #isClosed = false;
  #isOverfull = false;
  #pings = 0;
  #pingSentAtMs = 0;
  #minRttMs: number | undefined;
  #rttMs: number | undefined;

  constructor(options: MuxLinkOptions) {
    const { clock, maxFrameBytes, pingMs, deadMs } = options;
    this.#options = options;
    this.#host = options.host;
    this.#maxFrameBytes = maxFrameBytes;
    this.#reader = new FrameReader(maxFrameBytes, (frame) => this.#receiveFrame(frame));
    this.#keepalive = new Keepalive({
      clock,
      pingMs,
      deadMs,
      sendPing: () => this.ping(),
      onDead: () => this.#host.onSilent(this),
    });
  }

  get minRttMs(): number | undefined {
    return this.#minRttMs;
  }

  /** Latest round trip, in ms. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  get maxFrameBytes(): number {
    return this.#maxFrameBytes;
  }

  get queuedBytes(): number {
    return this.#options.link.queuedBytes;
  }

  get isCongested(): boolean {
    return this.queuedBytes > (this.#options.congestedBytes ?? 1_048_576);
  }

  /** Whether so much waits that the heads of more streams could fill it up. */
  get isOverloaded(): boolean {
    return this.queuedBytes > this.#maxQueuedBytes / 2;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** Frames of both directions are at most this large from now on, in bytes of payload. */
  agree(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes;
    this.#reader.limitFrames(maxFrameBytes);
  }

  /** From now on another session handles what arrives. */
  moveTo(host: LinkHost): void {
    this.#host = host;
  }

  /** A message arrived. Never throws: what is wrong with it goes to the host. */
  receive(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#keepalive.received();
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#host.onViolation(
        error instanceof MuxProtocolError
          ? error
          : new MuxProtocolError("A frame could not be handled.", "INTERNAL", CloseCode.INTERNAL),
        this,
      );
    }
  }

  /** The connection took what was queued. */
  drained(): void {
    if (this.#isClosed) return;
    if (this.queuedBytes === 0) this.#unreadReplies = 0;
    this.#drainPaused(this.#paused);
    this.#scheduleFlush();
  }

  ping(): void {
    this.#pings += 1;
    this.#pingSentAtMs = this.now();
    this.sendControl(FrameType.PING, 0, 0, pingPayload(this.#pings));
  }

  /** Windows grow by the round trip, which nothing else measures on a link that is never silent. */
  measure(): void {
    if (this.#pings === 0) this.ping();
  }

  sendControl(type: FrameType, flags: number, streamId: number, payload: Uint8Array): void {
    if (this.#isClosed) return;
    this.#control.push({ type, flags, streamId, payload });
    this.#controlBytes += frameHeaderBytes + payload.length;
    if (this.#controlBytes < flushBytes) return this.#scheduleFlush();
    const pieces: Uint8Array[] = [];
    this.#takeControl(pieces);
    this.#options.link.send(pieces);
    if (this.queuedBytes > this.#maxQueuedBytes) this.#tooMuch("bytes");
  }

  dropQueued(stream: MuxStream): { readonly droppedOpening: boolean } {
    this.#ready.delete(stream);
    this.#paused.delete(stream);
    const isOpening = ({ type, streamId }: ControlFrame): boolean =>
      streamId === stream.id && (type === FrameType.OPEN || (type === FrameType.HEAD && stream.isOpener));
    const droppedOpening = this.#control.some(isOpening);
    if (droppedOpening) {
      this.#control = this.#control.filter(({ streamId }) => streamId !== stream.id);
      this.#controlBytes = this.#control.reduce((sum, { payload }) => sum + frameHeaderBytes + payload.length, 0);
    }
    return { droppedOpening };
  }

  markReady(stream: MuxStream): void {
    if (!stream.isReady) return;
    this.#ready.add(stream);
    this.#scheduleFlush();
  }

  markPaused(stream: MuxStream): void {
    this.#paused.add(stream);
  }

  /** Sends what is ready, up to one flush, and goes on later with the rest. */
  flush(): void {
    this.#isFlushScheduled = false;
    if (this.#isClosed) return;
    const pieces: Uint8Array[] = [];
    let bytes = this.#takeControl(pieces);
    const served = new Set<MuxStream>();
    if (!this.isCongested) {
      for (const stream of this.#ready) {
        if (bytes >= flushBytes) break;
        // Deleted and added again, it waits behind all others.
        this.#ready.delete(stream);
        bytes += stream.takeFrame(this.#maxFrameBytes, pieces);
        served.add(stream);
        if (stream.isReady) this.#ready.add(stream);
      }
    }
    if (pieces.length > 0) this.#options.link.send(pieces);
    const { queuedBytes } = this;
    if (queuedBytes === 0) this.#unreadReplies = 0;
    if (queuedBytes > this.#maxQueuedBytes) return this.#tooMuch("bytes");
    this.#drainPaused(served);
    // While the link is congested, `drained` goes on.
    if (this.#ready.size > 0 && !this.isCongested) this.#scheduleFlush();
  }

  /** Closes after a last flush, or at once without a code. */
  close(code?: CloseCode, reason = ""): void {
    if (this.#isClosed) return;
    if (code !== undefined) {
      const pieces: Uint8Array[] = [];
      this.#takeControl(pieces);
      if (pieces.length > 0) this.#options.link.send(pieces);
    }
    this.detach();
    if (code === undefined) this.#options.link.destroy();
    else this.#options.link.close(code, reason.slice(0, 120));
  }

  /** The connection is gone. */
  detach(): void {
    this.#isClosed = true;
    this.#keepalive.stop();
    this.#control = [];
    this.#ready.clear();
    this.#paused.clear();
  }

  #receiveFrame(frame: Frame): void {
    // A frame before this one may have ended the session.
    if (this.#isClosed) return;
    if (frame.type === FrameType.PING) this.#receivePing(frame);
    else if (frame.type !== FrameType.EXTENSION) this.#host.onFrame(frame, this);
  }

  #receivePing({ flags, payload }: Frame): void {
    if (payload.length !== 8) throw malformed("PING");
    if ((flags & flagAck) === 0) return this.#replyToPing(payload);
    // What answers no PING of ours, or an earlier one, measures nothing.
    if (!pingPayload(this.#pings).every((byte, index) => byte === payload[index])) return;
    const rttMs = this.now() - this.#pingSentAtMs;
    this.#rttMs = rttMs;
    this.#minRttMs = Math.min(this.#minRttMs ?? rttMs, rttMs);
    this.#host.onMeasured(this);
  }

  #replyToPing(payload: Uint8Array): void {
    this.#unreadReplies += 1;
    if (this.#unreadReplies > (this.#options.maxControlFrames ?? 4096)) return this.#tooMuch("control frames");
    this.sendControl(FrameType.PING, flagAck, 0, new Uint8Array(payload));
  }

  get #maxQueuedBytes(): number {
    return this.#options.maxQueuedBytes ?? 16_777_216;
  }

  /** Appends what waits; what does not fit into one message is sent before. @returns the bytes in `pieces` */
  #takeControl(pieces: Uint8Array[]): number {
    if (this.#control.length === 0) return 0;
    const frames = this.#control;
    const bytes = this.#controlBytes;
    this.#control = [];
    this.#controlBytes = 0;
    // Dozens of heads leave together where many visitors are served: one piece of memory is cheaper than one for each.
    const whole = new Uint8Array(bytes);
    let offset = 0;
    for (const frame of frames) {
      const { payload } = frame;
      writeFrameHeader(whole, offset, frame, payload.length);
      whole.set(payload, offset + frameHeaderBytes);
      offset += frameHeaderBytes + payload.length;
    }
    pieces.push(whole);
    return bytes;
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isClosed) return;
    this.#isFlushScheduled = true;
    this.#options.clock.soon(() => this.flush());
  }

  #drainPaused(candidates: ReadonlySet<MuxStream>): void {
    for (const stream of candidates) {
      if (this.#paused.has(stream) && stream.drainIfLow()) this.#paused.delete(stream);
    }
  }

  #tooMuch(what: string): void {
    // The goodbye is a control frame as well.
    if (this.#isOverfull) return;
    this.#isOverfull = true;
    const message = `Too many ${what} wait for the peer to read.`;
    this.#host.onViolation(new MuxProtocolError(message, "ENHANCE_CALM", CloseCode.ENHANCE_CALM), this);
  }
}

/** The number of a PING. */
function pingPayload(count: number): Uint8Array {
  const payload = new Uint8Array(8);
  writeUint32(payload, 4, count);
  return payload;
}
