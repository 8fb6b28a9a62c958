import type { StreamOpening } from "../../../relay/muxSession";
import type { MuxStream } from "../../../relay/muxStream";

/** Where the streams of a binding go on the driver's side. */
export interface StreamTarget {
  readonly open: (stream: MuxStream, opening: StreamOpening) => void;
  /** Releases what it holds between streams. */
  readonly close: () => void;
}
