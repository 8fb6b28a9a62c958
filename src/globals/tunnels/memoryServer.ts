import { withFrameworkErrors } from "../../errors/knownErrors";
import { loadOnce } from "../../lib/loadOnce";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { PresetScope } from "../../runtime/run/presets";
import { createCallCodec } from "../../tunnels/client/callCodec";
import { createTunnelClient } from "../../tunnels/client/createTunnelClient";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import type { Transport } from "../../tunnels/protocol/wire";
import { sendEmissionPath } from "../../tunnels/transports/layers/emissionPath";
import { propagate } from "../../tunnels/transports/layers/propagate";
import { traceCalls } from "../../tunnels/transports/layers/traceCalls";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { latePart } from "../lateParts";
import { serializer as serializerOf } from "../resources/serializer";
import { memoryServerId, type MemoryServer } from "./tunnelParts";

const carriesText = {
  refusal: "A memory tunnel carries values as text. Test files and streams against an exposure on port 0.",
};

/**
 * Serves memory tunnels. Everything is written and read as over a network, and the server tunnels of the run say what may
 * be called; there is neither a socket nor authentication.
 */
function createMemoryServer(scope: PresetScope): MemoryServer {
  const { store, valueOf } = scope;
  function connect(): RemoteClient {
    const serializer = valueOf(serializerOf);
    const errors = withFrameworkErrors(store.errors);
    // What serves calls is most of what this takes, and few programs call themselves.
    const served = loadOnce(async () => {
      const { serveMemory } = await latePart("memory");
      return serveMemory(scope, { serializer, errors, ...carriesText });
    });
    // A caller that leaves learns of it by its own reason, whatever the task makes of its signal.
    const send: Transport = async (request) =>
      settleOrAbort(
        served().then((serve) => serve(request)),
        request.signal,
      );
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
