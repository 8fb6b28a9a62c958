import { gunzipSync } from "node:zlib";
import type { Msg } from "@nats-io/transport-node";
import { createResource } from "../../../define/createResource";
import type { IResource } from "../../../define/resource";
import { readyEventId } from "../../../define/reservedIds";
import { normalizeError } from "../../../errors/normaliseThrown";
import { abortedCallsMs } from "../../../lib/drain";
import { symbolFramework } from "../../../lib/symbols";
import type { Store } from "../../../runtime/run/store";
import type { RequestTrace } from "../../../runtime/tracing";
import { pick } from "../../../tunnels/routing/selectors";
import type { TunnelRunner } from "../../../tunnels/routing/tags";
import { isClientTunnel, isTunnelResource } from "../../../tunnels/routing/tunnelResource";
import { selectedContexts } from "../../../tunnels/routing/contextSelection";
import type { AllowList } from "../../../tunnels/server/allowList";
import { serveRun } from "../../../tunnels/server/serveRun";
import { requestTraceOf } from "../../../tunnels/server/traceRequests";
import { createRequestIds } from "../../../tunnels/http/requestIds";
import { readEmissionPath, runIdOf } from "../../../tunnels/protocol/emissionPath";
import { emissionIdHeader, viaHeader } from "../../../tunnels/protocol/headers";
import type { WireResponse } from "../../../tunnels/protocol/wire";
import { createTokenMatcher } from "../../server/tokenMatcher";
import { asking } from "../brokerErrors";
import { createBlobs } from "../blobs";
import type { NatsLink } from "../link";
import { codingHeader, messageIdHeader, readHeaders } from "../messageHeaders";
import { linkOf, natsConnection, type NatsConnectionHandle } from "../natsConnection";
import { runParts, type RunPartValues } from "../runParts";
import { incomingBody } from "../server/incomingBody";
import { NatsCall } from "../server/natsCall";
import { escapeId, subjectPrefix } from "../subjects";
import { publishesTo } from "./eventPublisher";
import { createDeadLetters } from "./deadLetters";
import { followLive, type LiveEvents } from "./liveEvents";
import { consumeEvents, type EventConsumer, type Hearing } from "./eventConsumer";
import { resolveEventsConfig, type NatsEventsConfig, type ResolvedEventsConfig } from "./natsEventsConfig";
import { Streams } from "./streams";

/** The value of `natsEvents`. */
export interface NatsEventsHandle {
  /** Takes no further events, and waits for the hooks of those that are being heard. */
  readonly close: () => Promise<void>;
}

interface NatsEventsDeps extends RunPartValues {
  readonly connection: NatsConnectionHandle;
}

/**
 * Runs the hooks of a run for events that come over NATS: at least once, or as fan-out. The run needs `natsConnection`; an
 * application with several services forks it.
 *
 * Rejects the boot when the stream or a consumer is there and does not fit.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/NATS.md
 */
export const natsEvents: IResource<NatsEventsConfig, Promise<NatsEventsHandle>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "globals.resources.natsEvents",
      dependencies: { connection: natsConnection, ...runParts() },
      configSchema: { parse: checkConfig },
      init: startEvents,
      dispose: async (handle: NatsEventsHandle) => handle.close(),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** Checks at `.with(...)`, so that a mistake shows where it was made. */
function checkConfig(config: NatsEventsConfig): NatsEventsConfig {
  resolveEventsConfig(config);
  return config;
}

async function startEvents(
  config: NatsEventsConfig,
  { connection, ...run }: NatsEventsDeps,
): Promise<NatsEventsHandle> {
  const resolved = resolveEventsConfig(config);
  const link = linkOf(connection);
  const { store, eventManager, logger } = run;
  const open: { close(graceMs: number): Promise<void> }[] = [];
  const onFailed = (error: unknown): void =>
    void logger.error("events.nats.failed", { error, data: { error: normalizeError(error).message } });
  let closing: Promise<unknown> | undefined;
  const hear = createHearing(resolved, run, link);

  const follow = (eventId: string, kind: "fanout" | "event", queue: string | undefined): LiveEvents =>
    followLive({
      link,
      subject: subjectPrefix(resolved.namespace, kind) + escapeId(eventId),
      queue,
      hear: (message) => hear(eventId, message),
      onFailed,
    });

  async function listen(): Promise<void> {
    if (resolved.mode === "fanout") {
      // What is durable is heard as well.
      for (const eventId of resolved.eventIds)
        open.push(follow(eventId, "fanout", undefined), follow(eventId, "event", undefined));
      await link.connection.flush();
      return;
    }
    const streams = new Streams(link, resolved.namespace);
    const giveUp = createDeadLetters(link, resolved.namespace, streams);
    for (const eventId of resolved.eventIds) {
      const consumer: EventConsumer = await consumeEvents({
        link,
        config: resolved,
        eventId,
        streams,
        hear: (message) => hear(eventId, message),
        keyOf: keyReader(resolved, eventId, run),
        giveUp: async (message, death) => {
          await giveUp(message, death);
          void logger.error("events.nats.dead: given up, see runner events dlq list", { data: { ...death } });
        },
        onFailed,
      });
      // What leaves as fan-out is heard as well, by one process of the service.
      open.push(consumer, follow(eventId, "fanout", resolved.service));
    }
    await link.connection.flush();
  }

  const close = async (): Promise<void> => {
    closing ??= Promise.allSettled(open.map((each) => each.close(resolved.graceMs)));
    await closing;
  };
  store.addDrain({ longestMs: resolved.graceMs + abortedCallsMs, drain: close });
  const ready = store.events.get(readyEventId)?.event;
  // Once everything that waits for that has been told: hooks need all that the application has.
  if (ready !== undefined) eventManager.addListener(ready, () => asking(listen), { order: Number.MAX_SAFE_INTEGER });
  return { close };
}

/** Largest event, decompressed, in bytes. */
const maxEventBytes = 33_554_432;

type Hear = (eventId: string, message: Msg) => Promise<Hearing | undefined>;

/** Runs the hooks of an event, by the pipeline of calls: authentication, contexts, and who has heard it already. */
function createHearing(config: ResolvedEventsConfig, run: RunPartValues, link: NatsLink): Hear {
  const { store } = run;
  const { auth } = config;
  const blobs = createBlobs(link, config.namespace);
  const assignRequestId = createRequestIds();
  const reach = createReach(config, store);
  const { respond } = serveRun(run, {
    name: "events",
    transport: "nats",
    auth: {
      header: auth.header,
      findTokenHolder: auth.tokens && createTokenMatcher(auth.tokens),
      tokenOption: "natsEvents.auth.token",
      timeoutMs: 10_000,
      allowAnonymous: auth.allowAnonymous ?? true,
      principalContext: auth.principal,
      isPrincipalRequired: auth.required,
    },
    contexts: config.contexts,
    open: false,
    reach,
    jsonBytes: maxEventBytes,
    openFile: () => {
      throw new TypeError("NATS carries no files.");
    },
  });
  const runId = runIdOf(run.eventManager);
  const modes = once(() => deliveryModes(store, config.namespace));
  return async (eventId, message) => {
    const headers = readHeaders(message.headers);
    const requestId = assignRequestId({ headers });
    const named = headers[messageIdHeader.toLowerCase()];
    if (named !== undefined) headers[emissionIdHeader] ??= named;
    const body = incomingBody(message, headers, blobs);
    const call = new NatsCall({
      target: { kind: "event", id: eventId },
      headers,
      body,
      address: "",
      requestId,
      isLong: false,
    });
    const mode = modes().get(eventId);
    if (mode !== undefined) {
      const via = readEmissionPath(headers)?.via ?? [];
      // The hooks of this run have heard it before it left.
      if (mode === "mirror" && via.includes(runId)) return undefined;
      // Of what leaves by the same subject, what comes by it is for the hooks here, and goes no further.
      call.hearsOwn = true;
      if (!via.includes(runId)) headers[viaHeader] = [...via, runId].join(", ");
    }
    const observed: RequestTrace = (call.observed = requestTraceOf(call.target, headers, "events:nats"));
    const serve = (): Promise<WireResponse> => new Promise((resolve, reject) => respond(call, resolve, reject));
    const point = store.tracing?.requests;
    try {
      const response = point?.isOn === true ? await point.run(observed, serve) : await serve();
      observed.status = response.status;
      return failureOf(response, observed);
    } catch (error) {
      return { code: "INTERNAL_ERROR", message: normalizeError(error).message, isFinal: false };
    }
  };
}

/** Those that no other try can mend: who may not emit, what is no payload, an event that is not there. */
const finalStatuses: ReadonlySet<number> = /* @__PURE__ */ new Set([400, 401, 403, 404, 413]);

function failureOf({ status }: WireResponse, { code, errorId, error }: RequestTrace): Hearing | undefined {
  if (status < 400) return undefined;
  const message = error === undefined ? `status ${status}` : normalizeError(error).message;
  // A hook may fail with any status of its own.
  return {
    code: errorId ?? code ?? "INTERNAL_ERROR",
    message,
    isFinal: errorId === undefined && finalStatuses.has(status),
  };
}

/** What comes by the stream may reach the events that are named, and nothing else. */
function createReach({ eventIds }: ResolvedEventsConfig, store: Store): () => AllowList {
  return once((): AllowList => {
    const contexts = selectedContexts("all");
    const events = eventIds.flatMap((id) => {
      const event = store.events.get(id)?.event;
      return event === undefined ? [] : [[id, { kind: "event" as const, event, contexts }] as const];
    });
    return { enabled: true, open: false, tasks: new Map(), events: new Map(events), subscribable: new Map() };
  });
}

/** How the tunnels of this run deliver the events that leave by the broker, without an answer, in a namespace. */
function deliveryModes(store: Store, namespace: string): ReadonlyMap<string, string> {
  const registered = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const modes = new Map<string, string>();
  for (const { resource, value } of store.resources.values()) {
    if (!isTunnelResource(resource)) continue;
    const tunnel = value as TunnelRunner;
    if (!isClientTunnel(tunnel) || !publishesTo(tunnel.client, namespace)) continue;
    const selected = pick(tunnel.events, registered, { onUnknown() {}, onFailed() {} });
    for (const { id } of selected) modes.set(id, tunnel.eventDeliveryMode ?? "mirror");
  }
  return modes;
}

function keyReader(
  { partitionBy }: ResolvedEventsConfig,
  eventId: string,
  { serializer }: RunPartValues,
): ((message: Msg) => string | undefined) | undefined {
  const keyOf = partitionBy[eventId];
  if (keyOf === undefined) return undefined;
  return (message) => {
    const isCoded = message.headers?.has(codingHeader) === true;
    const text = isCoded ? gunzipSync(message.data, { maxOutputLength: maxEventBytes }).toString() : message.string();
    return String(keyOf(serializer.parse<{ payload?: unknown }>(text).payload));
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
