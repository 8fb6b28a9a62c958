import { TunnelError } from "../../errors/tunnelError";

/**
 * Largest reply that is read into one text, in bytes, once decompressed: what an exposure with default limits sends,
 * and what takes no longer than a second to read.
 */
export const defaultReplyBytes = 33_554_432;

/** What a reply over the limit is refused with. */
export const replyTooLarge = (limitBytes: number): TunnelError =>
  new TunnelError("INVALID_RESPONSE", `Tunnel reply is larger than ${limitBytes} bytes.\n  the limit is maxReplyBytes`);
