import type { ReceiveWindowOptions } from "./credit";
import type { FlatHeaders, ResetPayload } from "./framePayloads";
import type { FrameType } from "./frames";

/** What arrives on a stream. Every member may be missing. */
export interface StreamHandler {
  /** The peer's head, as bytes of its JSON, with the frame's flags. */
  onHead?(payload: Uint8Array, flags: number): void;
  /**
   * The consumer reports the bytes it took with `consumed`. They share memory with what arrived beside them, all of which
   * they would keep where they are held.
   *
   * @param isLast whether the end follows at once
   */
  onData?(bytes: Uint8Array, isLast: boolean): void;
  onTrailers?(trailers: FlatHeaders): void;
  /** The peer sends no more. */
  onEnd?(): void;
  /** The driver has taken the stream. */
  onAccept?(): void;
  /** More may be written. */
  onDrain?(): void;
  /** The stream was cut, by the peer or with its link; nothing follows. */
  onReset?(reset: Pick<ResetPayload, "code" | "reason">): void;
}

/** The link that a stream lives on. */
export interface StreamLink<Stream> {
  readonly minRttMs: number | undefined;
  /** Largest payload of a frame that the peer takes, in bytes. */
  readonly maxFrameBytes: number;
  now(): number;
  /** Puts a frame before all data. */
  sendControl(type: FrameType, flags: number, streamId: number, payload: Uint8Array): void;
  /** Takes back what of a stream was not sent yet; an opening that is taken back leaves nothing to reset. */
  dropQueued(stream: Stream): { readonly droppedOpening: boolean };
  /** The stream has something to send, and credit for it. */
  markReady(stream: Stream): void;
  /** The stream waits for room. */
  markPaused(stream: Stream): void;
  readonly isCongested: boolean;
}

/** What a session does for its streams. */
export interface StreamHost<Stream> {
  /** Called once. @param resetCode of a stream that was cut */
  onClosed(stream: Stream, resetCode: number | undefined): void;
  /** What the session is charged for data that was received and not consumed changed by this many bytes. */
  onHeld(stream: Stream, bytes: number): void;
  /** This side gave the stream up before the driver had accepted it. */
  onEarlyReset(): void;
  /** The peer sent more than its credit. @returns whether the session goes on */
  onOverflow(): boolean;
}

export interface MuxStreamOptions<Stream> extends ReceiveWindowOptions {
  readonly id: number;
  readonly kind: "tcp" | "http";
  /** Whether this side opened the stream. */
  readonly isOpener: boolean;
  readonly link: StreamLink<Stream>;
  readonly host: StreamHost<Stream>;
  /** First window of the peer, in bytes. */
  readonly sendWindowBytes: number;
}
