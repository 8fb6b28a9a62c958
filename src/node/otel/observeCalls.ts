import type { Attributes, Context, MeterProvider, Span, TracerProvider } from "@opentelemetry/api";
import type { TraceContext } from "../../lib/traceContext";
import type { CallTrace, RequestTrace, RunObserver, TaskTrace, TraceEvent } from "../../runtime/tracing";
import { createCallMetrics } from "./callMetrics";
import type { OtelApi } from "./loadApi";

interface ObserveOptions {
  readonly api: OtelApi;
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly tasks: boolean;
  readonly recordExceptions: boolean;
  /** Whether an id is one of the application; a request may name any other, of which there is no end. */
  readonly isKnown: (id: string) => boolean;
}

type Spanned = Exclude<TraceEvent, { readonly channel: "runner:event" }>;
type Message = CallTrace | RequestTrace | TaskTrace;

/** The task that a request asks for. Its call is what the span of the request is of, so it gets none of its own. */
interface Served {
  readonly taskId: string | undefined;
  isCalled: boolean;
}

/** Makes spans and metrics of what a run publishes. `end` ends the spans of calls that are still under way. */
export function observeCalls(options: ObserveOptions): { readonly observe: RunObserver; readonly end: () => void } {
  const { api, isKnown } = options;
  const tracer = options.tracerProvider.getTracer("@bluelibs/runner");
  const meter = options.meterProvider.getMeter("@bluelibs/runner");
  const record = {
    "runner:request": createCallMetrics(meter, "server"),
    "runner:call": createCallMetrics(meter, "client"),
  };
  const kinds = {
    "runner:request": api.SpanKind.SERVER,
    "runner:call": api.SpanKind.CLIENT,
    "runner:task": api.SpanKind.INTERNAL,
  };
  const servedKey = api.createContextKey("@bluelibs/runner served task");
  const spans = new Map<Message, { readonly span: Span; readonly attributes: Attributes }>();

  const isCovered = (message: TaskTrace, active: Context): boolean => {
    const served = active.getValue(servedKey) as Served | undefined;
    if (served?.taskId === message.taskId && !served.isCalled) {
      served.isCalled = true;
      return true;
    }
    // A tunnel has the span of its client.
    return !options.tasks || message.tunnelId !== undefined;
  };

  const start = ({ channel, message }: Spanned): void => {
    const active = api.context.active();
    if (channel === "runner:task" && isCovered(message, active)) return;
    const { name, attributes } = describe(channel, message, isKnown);
    const parent = parentOf(api, active, message.trace, channel === "runner:request");
    const span = tracer.startSpan(
      name,
      { kind: kinds[channel], attributes: { ...attributes, ...serverOf(message) } },
      parent,
    );
    spans.set(message, { span, attributes });
    message.trace = traceOf(api, span, message.trace);
    let inside = api.trace.setSpan(parent, span);
    if (channel === "runner:request") {
      const served: Served = { taskId: message.taskId, isCalled: false };
      inside = inside.setValue(servedKey, served);
    }
    const { enter } = message;
    message.enter = <T>(run: () => T): T => api.context.with(inside, () => (enter === undefined ? run() : enter(run)));
  };

  const settle = ({ channel, message }: Spanned): void => {
    const started = spans.get(message);
    if (started === undefined) return;
    spans.delete(message);
    const { span } = started;
    const outcome = outcomeOf(message);
    span.setAttributes(outcome);
    if (outcome["error.type"] !== undefined && isFault(channel, message)) {
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: String(outcome["error.type"]) });
    }
    if (options.recordExceptions && message.error !== undefined) span.recordException(exceptionOf(message.error));
    span.end();
    if (channel !== "runner:task") record[channel](message, { ...started.attributes, ...outcome });
  };

  return {
    observe(event) {
      if (event.channel === "runner:event") return;
      if (event.phase === "start") start(event);
      else if (event.phase === "asyncEnd") settle(event);
    },
    end() {
      for (const { span } of spans.values()) span.end();
      spans.clear();
    },
  };
}

function describe(
  channel: Spanned["channel"],
  message: Message,
  isKnown: (id: string) => boolean,
): { readonly name: string; readonly attributes: Attributes } {
  const { taskId, eventId } = message as { readonly taskId?: string; readonly eventId?: string };
  const id = taskId ?? eventId;
  if (id === undefined) return { name: "runner.request", attributes: { "rpc.system": "runner" } };
  const method = channel === "runner:request" && !isKnown(id) ? "_OTHER" : id;
  const kind = taskId === undefined ? "event" : "task";
  return { name: `runner.${kind} ${method}`, attributes: { "rpc.system": "runner", "rpc.method": method } };
}

/** Where a client calls, for spans alone: metrics keep to what has few values. */
function serverOf(message: Message): Attributes {
  if (!("path" in message) || !URL.canParse(message.origin)) return {};
  const { hostname, port } = new URL(message.origin);
  return {
    ...(hostname !== "" && { "server.address": hostname }),
    ...(port !== "" && { "server.port": Number(port) }),
  };
}

/**
 * The span around a call: the active one, or the one that the trace of its scope names. A request belongs to the trace of its
 * caller, whatever was active as its server began to listen; instrumentation of HTTP makes an active span of the same trace.
 */
function parentOf(api: OtelApi, active: Context, trace: TraceContext | undefined, isRequest: boolean): Context {
  const around = api.trace.getSpanContext(active);
  if (trace === undefined) return active;
  if (around !== undefined && api.isSpanContextValid(around) && (!isRequest || around.traceId === trace.traceId)) {
    return active;
  }
  const { traceId, spanId, flags, state } = trace;
  return api.trace.setSpanContext(active, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: isRequest,
    ...(state !== undefined && { traceState: api.createTraceState(state) }),
  });
}

/** Without an SDK there are no ids of spans, and the trace of the caller goes on. */
function traceOf(api: OtelApi, span: Span, outer: TraceContext | undefined): TraceContext | undefined {
  const own = span.spanContext();
  if (!api.isSpanContextValid(own) || own.spanId === outer?.spanId) return outer;
  const state = own.traceState?.serialize();
  return {
    traceId: own.traceId,
    spanId: own.spanId,
    ...(outer?.traceId === own.traceId && { parentSpanId: outer.spanId }),
    flags: (own.traceFlags & 0xff).toString(16).padStart(2, "0"),
    ...(state && { state }),
  };
}

function outcomeOf(message: Message): Attributes {
  const { status, code, errorId } = message as Partial<CallTrace>;
  const type = errorId ?? code ?? (message.error === undefined ? undefined : typeOf(message.error));
  return {
    ...(status !== undefined && { "http.response.status_code": status }),
    ...(type !== undefined && { "error.type": type }),
  };
}

/** Of a server, what the caller did wrong is none (semantic conventions of HTTP spans). */
const isFault = (channel: Spanned["channel"], message: Message): boolean =>
  channel !== "runner:request" || ((message as RequestTrace).status ?? 500) >= 500;

function typeOf(error: unknown): string {
  const { id, code, name } = Object(error) as { id?: unknown; code?: unknown; name?: unknown };
  return [id, code, name].find((value) => typeof value === "string" && value !== "")?.toString() ?? "_OTHER";
}

const exceptionOf = (error: unknown): Error | string => (error instanceof Error ? error : String(error));
