import type { IErrorHelper } from "../../errors/defineError";
import { enterSlots, type ContextSlots } from "../../platform/contextScope";
import type { PresetScope } from "../../runtime/run/presets";
import type { SerializerLike } from "../../serializer/codec";
import type { Transport } from "../../tunnels/protocol/wire";
import { createAllowListSource } from "../../tunnels/server/allowList";
import { createHandler } from "../../tunnels/server/createHandler";
import { createContextReader } from "../../tunnels/server/readContexts";
import { traceRequests } from "../../tunnels/server/traceRequests";

const noSlots: ContextSlots = /* @__PURE__ */ new Map();

/** How values and errors are read and written. */
interface MemoryFormat {
  readonly serializer: SerializerLike;
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  /** Why files are refused. */
  readonly refusal: string;
}

/** Serves the calls of memory tunnels. Loaded with the first call of one. */
export function serveMemory(
  { store, eventManager, logger }: Pick<PresetScope, "store" | "eventManager" | "logger">,
  { serializer, errors, refusal }: MemoryFormat,
): Transport {
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
    openFile() {
      throw new Error(refusal);
    },
    report: (error, { target }) => void logger.error(`memory.${target.kind}.error`, { error, data: { id: target.id } }),
  });
  // Contexts of the calling run that do not cross are not there, as in another process.
  const inside: Transport = (request) => enterSlots(noSlots, () => handle(request));
  return traceRequests(inside, store.tracing?.requests, "memory");
}
