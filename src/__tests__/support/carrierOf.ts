import type { Carrier } from "../../tunnels/client/carrier";
import type { Transport } from "../../tunnels/protocol/wire";

/** A carrier of everything that holds nothing. */
export const carrierOf = (send: Transport, patch: Partial<Carrier> = {}): Carrier => ({
  send,
  close: async () => {},
  accepts: { streams: true, files: true, nodeFiles: true, items: true, abort: true },
  ...patch,
});
