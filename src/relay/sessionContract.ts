import type { Clock } from "./clock";
import type { CloseCode, GoAwayCode } from "./codes";
import type { ControlMessage } from "./controlMessages";
import type { OpenPayload, RequestHead } from "./framePayloads";
import type { MuxLink } from "./muxLink";
import type { MuxStream } from "./muxStream";

/** What both sides agreed on in the handshake; sizes in bytes, times in ms. */
export interface SessionSettings {
  readonly maxFrameBytes: number;
  readonly maxStreams: number;
  /** First window of every stream, in both directions. */
  readonly windowBytes: number;
  readonly maxWindowBytes: number;
  /** Received and not consumed, over all streams. */
  readonly sessionBufferBytes: number;
  readonly pingMs: number;
  readonly deadMs: number;
  /** Of each link: above this, sources pause; default 1 MiB. */
  readonly congestedBytes?: number | undefined;
  /** Of each link: above this, it is closed; default 16 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Of each link: most replies that wait for the peer to read them; default 4096. */
  readonly maxControlFrames?: number | undefined;
  /** Control messages per second that are taken, and at a time; default 50 and 200. */
  readonly controlRate?: number | undefined;
  readonly controlBurst?: number | undefined;
}

/** How a stream was opened. */
export type StreamOpening =
  | { readonly kind: "tcp"; readonly open: OpenPayload }
  | { readonly kind: "http"; readonly head: RequestHead; readonly flags: number };

/** What a session reports. */
export interface SessionHandler {
  onControl(message: ControlMessage, link: MuxLink): void;
  /** Drivers only: the relay opened a stream. */
  onStream?(stream: MuxStream, opening: StreamOpening): void;
  /** A PING was answered; `rttMs` of the link is new. */
  onMeasured?(link: MuxLink): void;
  /** The session closed its links, because its peer broke the protocol or fell silent. */
  onFailed(failure: SessionFailure): void;
  /** The session was retired, and has closed its links. */
  onRetired?(): void;
  /** A stream is over. @param resetCode of one that was cut */
  onStreamClosed?(stream: MuxStream, resetCode: number | undefined): void;
}

export interface SessionFailure {
  readonly code: GoAwayCode;
  readonly closeCode: CloseCode | undefined;
  readonly message: string;
}

export interface MuxSessionOptions {
  readonly role: "relay" | "driver";
  readonly clock: Clock;
  readonly settings: SessionSettings;
  readonly handler: SessionHandler;
}

/** How the session ends, as the peer is told. */
export interface GoAwayOptions {
  readonly drainMs?: number | undefined;
  readonly reconnect?: boolean | undefined;
  readonly message?: string | undefined;
}
