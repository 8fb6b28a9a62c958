import { TunnelError } from "../../errors/tunnelError";
import type { CloseOptions } from "../../tunnels/client/createTunnelClient";
import type { Transport } from "../../tunnels/protocol/wire";

/** A transport that holds connections. */
export interface Carrier {
  readonly send: Transport;
  /** Waits for the calls under way, unless told to stop waiting; then lets go of the connections. */
  close(options?: CloseOptions): Promise<void>;
}

/** Largest reply that is read into one text, in bytes. */
export const defaultReplyBytes = 256 * 1024 * 1024;

/** What a reply over the limit is refused with. */
export const replyTooLarge = (limitBytes: number): TunnelError =>
  new TunnelError("INVALID_RESPONSE", `Tunnel reply is larger than ${limitBytes} bytes.`);
