import { createResource } from "../../../define/createResource";
import type { IResource } from "../../../define/resource";
import { readyEventId } from "../../../define/reservedIds";
import { normalizeError } from "../../../errors/normaliseThrown";
import { abortedCallsMs, Drain, type DrainPhase } from "../../../lib/drain";
import { symbolFramework } from "../../../lib/symbols";
import { serveRun } from "../../../tunnels/server/serveRun";
import { createTokenMatcher } from "../../server/tokenMatcher";
import { linkOf, natsConnection, type NatsConnectionHandle } from "../natsConnection";
import { runParts, type RunPartValues } from "../runParts";
import { resolveNatsExposureConfig, type NatsExposureConfig } from "./natsExposureConfig";
import { createNatsServer } from "./natsServer";

/** The value of `natsExposure`. */
export interface NatsExposureHandle {
  /** Identifies this process among the workers of its group. */
  readonly workerId: string;
  /** "draining" from the first call of `close()` until it resolves. */
  readonly phase: DrainPhase;
  /** Takes no further calls, waits for those in flight, and sends what they replied. */
  readonly close: () => Promise<void>;
}

/** What serving over NATS depends on, as values. */
interface NatsExposureDeps extends RunPartValues {
  readonly connection: NatsConnectionHandle;
}

/**
 * Serves tasks and events of a run over NATS: those that a server-mode tunnel names, to callers that authenticate. Processes of
 * one group share the calls. The run needs `natsConnection`.
 *
 * Rejects the boot when the broker forbids what it would listen to.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/NATS.md
 */
export const natsExposure: IResource<NatsExposureConfig, Promise<NatsExposureHandle>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "globals.resources.natsExposure",
      dependencies: { connection: natsConnection, ...runParts() },
      configSchema: { parse: checkConfig },
      init: startExposure,
      dispose: async (handle: NatsExposureHandle) => handle.close(),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** Checks at `.with(...)`, so that a mistake shows where it was made. */
function checkConfig(config: NatsExposureConfig): NatsExposureConfig {
  resolveNatsExposureConfig(config);
  return config;
}

async function startExposure(
  config: NatsExposureConfig,
  { connection, ...run }: NatsExposureDeps,
): Promise<NatsExposureHandle> {
  const resolved = resolveNatsExposureConfig(config);
  const { auth, limits } = resolved;
  const { store, eventManager, logger, serializer } = run;
  const drain = new Drain();
  const served = serveRun(run, {
    name: "exposure",
    transport: "nats",
    auth: {
      header: auth.header,
      findTokenHolder: auth.tokens && createTokenMatcher(auth.tokens),
      holders: auth.tokens,
      tokenOption: "natsExposure.auth.token",
      timeoutMs: limits.authMs,
      // No caller counts as one of this machine.
      allowAnonymous: auth.allowAnonymous ?? false,
      principalContext: auth.principal,
      isPrincipalRequired: auth.required,
    },
    contexts: resolved.contexts,
    open: resolved.open,
    jsonBytes: limits.jsonBytes,
    maxDeadlineMs: limits.maxDeadlineMs,
    streams: limits.streams,
    openFile: () => {
      throw new TypeError("NATS carries no files.");
    },
  });
  const server = createNatsServer({
    ...served,
    link: linkOf(connection),
    config: resolved,
    drain,
    serializer,
    requests: store.tracing?.requests,
    origin: "exposure:nats",
    onUnhandled: (error, requestId) =>
      void logger.error("exposure.nats.unhandled", {
        error,
        data: { error: normalizeError(error).message, requestId },
      }),
  });
  store.addDrain({ longestMs: resolved.graceMs + 3 * abortedCallsMs, drain: server.close });
  const ready = store.events.get(readyEventId)?.event;
  // After the allow-list is fixed, and before anything of the application learns that the run is ready.
  if (ready !== undefined) eventManager.addListener(ready, server.listen, { order: Number.MIN_SAFE_INTEGER });
  return {
    workerId: server.workerId,
    get phase() {
      return drain.phase;
    },
    close: server.close,
  };
}
