import { FrameType, type Frame } from "./frames";
import { MuxProtocolError } from "./protocolError";

/**
 * Whether a frame of a stream that is not there opens one. Late frames of streams that are over are ignored.
 *
 * @param highestStreamId of the link that it arrived on
 * @param role of this side
 * @throws {MuxProtocolError} the stream was never opened, or cannot be opened
 */
export function opensStream({ type, streamId }: Frame, highestStreamId: number, role: "relay" | "driver"): boolean {
  const isDriver = role === "driver";
  const opens = isDriver && (type === FrameType.OPEN || type === FrameType.HEAD);
  // Even ids are for streams that drivers open, which this version has not.
  if (streamId % 2 === 0) throw new MuxProtocolError(`Stream ${streamId} was never opened.`);
  if (type === FrameType.OPEN && !isDriver) throw new MuxProtocolError("OPEN arrived at the side that opens.");
  if (streamId > highestStreamId) {
    if (opens) return true;
    throw new MuxProtocolError(`Stream ${streamId} was never opened.`);
  }
  if (opens) throw usedTwice();
  return false;
}

export const usedTwice = (): MuxProtocolError => new MuxProtocolError("A stream id was used twice.");
