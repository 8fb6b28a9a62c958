import type { MuxStream } from "../../../relay/muxStream";
import type { StreamOpening } from "../../../relay/sessionContract";

/** Where the streams of a binding go on the driver's side. */
export interface StreamTarget {
  readonly open: (stream: MuxStream, opening: StreamOpening) => void;
  /** Releases what it holds between streams. */
  readonly close: () => void;
}
