import { TunnelError } from "../../errors/tunnelError";

/** Largest reply that is read into one text, in bytes, once decompressed. */
export const defaultReplyBytes = 256 * 1024 * 1024;

/** What a reply over the limit is refused with. */
export const replyTooLarge = (limitBytes: number): TunnelError =>
  new TunnelError("INVALID_RESPONSE", `Tunnel reply is larger than ${limitBytes} bytes.\n  the limit is maxReplyBytes`);
