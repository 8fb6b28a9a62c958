import { withFrameworkErrors } from "../../errors/knownErrors";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { enterSlots, type ContextSlots } from "../../platform/contextScope";
import { createCallCodec } from "../../tunnels/client/callCodec";
import { createTunnelClient } from "../../tunnels/client/createTunnelClient";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import type { Transport } from "../../tunnels/protocol/wire";
import { createAllowListSource } from "../../tunnels/server/allowList";
import { createHandler } from "../../tunnels/server/createHandler";
import { traceRequests } from "../../tunnels/server/traceRequests";
import { propagate } from "../../tunnels/transports/layers/propagate";
import { traceCalls } from "../../tunnels/transports/layers/traceCalls";
import { createContextReader } from "../../tunnels/server/readContexts";
import { sendEmissionPath } from "../../tunnels/transports/layers/emissionPath";
import type { PresetScope } from "../../runtime/run/presets";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { serializer as serializerOf } from "../resources/serializer";
import { memoryServerId, type MemoryServer } from "./tunnelParts";

const carriesText = {
  refusal: "A memory tunnel carries values as text. Test files and streams against an exposure on port 0.",
};

const noSlots: ContextSlots = /* @__PURE__ */ new Map();

function refuseFiles(): never {
  throw new Error(carriesText.refusal);
}

/**
 * Serves memory tunnels. Everything is written and read as over a network, and the server tunnels of the run say what may
 * be called; there is neither a socket nor authentication.
 */
function createMemoryServer({ store, eventManager, logger, valueOf }: PresetScope): MemoryServer {
  function connect(): RemoteClient {
    const serializer = valueOf(serializerOf);
    const errors = withFrameworkErrors(store.errors);
    const allowList = createAllowListSource(store, {
      transport: undefined,
      open: false,
      onSkipped: (id, error) => void logger.warn("memory.selector.failed", { data: { id }, error }),
    });
    const handle = createHandler({
      authenticate: () => ({ name: "memory" }),
      allowList: allowList.freeze,
      readContexts: createContextReader(store.asyncContexts, serializer),
      eventManager,
      origin: "memory",
      serializer,
      errors,
      jsonBytes: Number.MAX_SAFE_INTEGER,
      openFile: refuseFiles,
      report: (error, { target }) =>
        void logger.error(`memory.${target.kind}.error`, { error, data: { id: target.id } }),
    });
    // Contexts of the calling run that do not cross are not there, as in another process.
    const inside: Transport = (request) => enterSlots(noSlots, () => handle(request));
    const served = traceRequests(inside, store.tracing?.requests, "memory");
    // A caller that leaves learns of it by its own reason, whatever the task makes of its signal.
    const send: Transport = async (request) => settleOrAbort(served(request), request.signal);
    return createTunnelClient({
      layers: [
        ...(store.tracing === undefined ? [] : [traceCalls(store.tracing.calls, "memory://")]),
        propagate({ trace: true }),
      ],
      carrier: {
        send: sendEmissionPath(send),
        close: async () => {},
        accepts: { abort: true, streams: carriesText, files: carriesText, nodeFiles: carriesText, items: true },
      },
      codec: createCallCodec,
      serializer,
      contexts: [...store.asyncContexts.values()],
      errorRegistry: errors,
    });
  }
  return { connect };
}

/** Registered in every run; pages that are bundled leave it out, and what serves calls with it. */
export const memoryServer = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<MemoryServer>(memoryServerId, { value: createMemoryServer }),
);
