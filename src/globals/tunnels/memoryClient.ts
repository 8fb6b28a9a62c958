import { withFrameworkErrors } from "../../errors/knownErrors";
import type { RunResult } from "../../runtime/run/runResult";
import { createTunnelClient, type RemoteClient } from "../../tunnels/client/createTunnelClient";
import { createAllowListSource } from "../../tunnels/server/allowList";
import { createHandler } from "../../tunnels/server/createHandler";
import { createContextReader } from "../../tunnels/server/readContexts";
import { eventManager, logger as loggerOf, serializer as serializerOf } from "../resources/handles";

/** A run that a memory tunnel calls. */
export type MemoryTarget = Pick<RunResult<any>, "store" | "getResourceValue">;

const carriesText = "A memory tunnel carries values as text. Test files and streams against an exposure on port 0.";

function refuseFiles(): never {
  throw new Error(carriesText);
}

/**
 * Calls another run of this process. Everything is written and read as over a network, and the server tunnels of that run
 * say what may be called; there is neither a socket nor authentication.
 */
export function createMemoryClient({ store, getResourceValue }: MemoryTarget): RemoteClient {
  const serializer = getResourceValue(serializerOf);
  const logger = getResourceValue(loggerOf);
  const errors = withFrameworkErrors(store.errors);
  const allowList = createAllowListSource(store, {
    transport: undefined,
    open: false,
    onSkipped: (id, error) => void logger.warn("memory.selector.failed", { data: { id }, error }),
  });
  const send = createHandler({
    authenticate: () => ({ name: "memory" }),
    allowList: allowList.freeze,
    readContexts: createContextReader(store.asyncContexts, serializer),
    eventManager: getResourceValue(eventManager),
    origin: "memory",
    serializer,
    errors,
    jsonBytes: Number.MAX_SAFE_INTEGER,
    openFile: refuseFiles,
    report: (error, { target }) => void logger.error(`memory.${target.kind}.error`, { error, data: { id: target.id } }),
  });
  return createTunnelClient({
    carrier: {
      send,
      close: async () => {},
      accepts: { abort: true, streams: carriesText, files: carriesText, nodeFiles: carriesText },
    },
    serializer,
    contexts: [...store.asyncContexts.values()],
    errorRegistry: errors,
  });
}
