import { loadOnce } from "../../../lib/loadOnce";
import { TunnelError } from "../../../errors/tunnelError";
import type { TransportLayer } from "../../client/carrier";
import type { BatchingClientConfig } from "./batchParts";

/** Batches calls where that is asked for, by code that is loaded at the first one, which rejects where that fails. */
export const lazyBatching =
  (config: BatchingClientConfig): TransportLayer =>
  (next) => {
    const load = loadOnce(() => import("./batching").then(({ batching }) => batching(config, TunnelError)(next)));
    return config.batch ? (request) => load().then((send) => send(request)) : next;
  };
