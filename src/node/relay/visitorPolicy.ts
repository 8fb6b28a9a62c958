import { createRepeats } from "../../lib/repeats";
import type { Logger } from "../../globals/resources/logger";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Store } from "../../runtime/run/store";
import type { ResolvedRelayConfig } from "./config";
import { compileGates } from "./gates/compileGates";
import { compileHooks } from "./hooks/compileHooks";
import { tunnelRequest } from "./log/requestEvent";
import { RequestLog } from "./log/requestLog";
import { createPipeline } from "./pipeline";
import type { VisitorPolicy } from "./relay";
import type { TunnelRelayConfig } from "./tunnelRelayConfig";

/** The parts of a run that decide on visitors. */
interface PolicyRun {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Logger;
}

/** What the requests of visitors are emitted by. */
const source = "platform.node.resources.tunnelRelay";

/**
 * Joins what stands between visitors and bindings to what a run has registered: gates, hooks, and listeners of requests.
 *
 * @throws {TypeError} (as a rejection) gates or hooks cannot be meant; the message names the option
 */
export async function createVisitorPolicy(
  config: Pick<TunnelRelayConfig, "gates" | "gatesByName" | "hooks"> = {},
  { hookTimeoutMs }: ResolvedRelayConfig,
  { store, eventManager, logger }: PolicyRun,
): Promise<VisitorPolicy> {
  const gates = await compileGates(config, store);
  const hooks = compileHooks(config.hooks, store, hookTimeoutMs);
  // Visitors decide how often something fails.
  const repeats = createRepeats({ atOnce: 10, periodMs: 10_000 });
  const report = (name: string, error: unknown, data: Record<string, unknown>): void =>
    repeats.add(name, (repeated) => {
      void logger.error(name, { error: error as Error, data: { ...data, ...(repeated > 0 && { repeated }) } });
    });
  // Without `run` of the entry for Node, the event is not part of the run.
  const cell = store.events.has(tunnelRequest.id) ? eventManager.cell(tunnelRequest) : undefined;
  const log = new RequestLog({
    secretHeaders: gates.secretHeaders,
    isHeard: () => cell?.linked.isUnheard === false,
    emit: (payload) =>
      void cell?.linked
        .emit(payload, source)
        .catch((error: unknown) => report("relay.request.listener", error, { requestId: payload.id })),
  });
  return {
    log,
    pipelineOf: (name) =>
      createPipeline({
        gates: gates.of(name),
        hooks: hooks.of(name),
        timeoutMs: hookTimeoutMs,
        onFailed: (error, what, requestId) => report("relay.visitor.failure", error, { what, requestId }),
      }),
  };
}
