import { randomUUID } from "node:crypto";
import type { Msg, Subscription } from "@nats-io/transport-node";
import { TunnelError } from "../../../errors/tunnelError";
import { ofBegunCall } from "../../../errors/begunCall";
import {
  internalError,
  notFound,
  overloaded,
  requestAborted,
  serverClosing,
  WireFailure,
} from "../../../errors/wireErrors";
import { abortedCallsMs, type Drain } from "../../../lib/drain";
import { settlesWithin } from "../../../lib/timers";
import type { TracePoint } from "../../../platform/tracePoint";
import type { RequestTrace } from "../../../runtime/tracing";
import type { SerializerLike } from "../../../serializer/codec";
import { createRequestIds } from "../../../tunnels/http/requestIds";
import { readDeadlineMs } from "../../../tunnels/protocol/deadlineHeader";
import { deadlineHeader } from "../../../tunnels/protocol/headers";
import type { WireHeaders, WireResponse, WireTarget } from "../../../tunnels/protocol/wire";
import { lockReachable } from "../../../tunnels/server/discoverContract";
import { requestTraceOf } from "../../../tunnels/server/traceRequests";
import type { RunServer } from "../../../tunnels/server/serveRun";
import { createBlobs } from "../blobs";
import { beatMs } from "../client/pendingCalls";
import { controlSubject, readControl } from "../itemFrames";
import { headerOf, readHeaders, sentAtHeader, type MessageHeaders } from "../messageHeaders";
import type { NatsLink } from "../link";
import { escapeId, subjectPrefix, unescapeId, versionPrefix } from "../subjects";
import { Beats } from "./beats";
import { CallsByAddress } from "./callsByAddress";
import { incomingBody } from "./incomingBody";
import { isItemsResponse, ItemReplies } from "./itemReplies";
import { NatsCall } from "./natsCall";
import type { ResolvedNatsExposureConfig } from "./natsExposureConfig";
import { createReplyWriter, type ReplyTarget } from "./natsReply";
import { QueueDelay } from "./queueDelay";

/** What a server is made of: the run it serves, and what is NATS's alone. */
export interface NatsServerParts extends RunServer {
  readonly link: NatsLink;
  readonly config: ResolvedNatsExposureConfig;
  readonly drain: Drain;
  readonly serializer: SerializerLike;
  /** Publishes requests. */
  readonly requests: TracePoint<RequestTrace> | undefined;
  /** What is published as the origin of requests. */
  readonly origin: string;
  /** Something failed outside the pipeline. */
  readonly onUnhandled: (error: unknown, requestId: string) => void;
}

/** A member of a queue group. */
export interface NatsServer {
  /** Identifies this worker to callers. */
  readonly workerId: string;
  /** Listens to what the allow-list has. @throws {TunnelError} `BROKER_DENIED`, the broker forbids one of the subjects */
  listen(): Promise<void>;
  /** Takes no further calls, waits for those in flight, and sends what they replied. */
  close(): Promise<void>;
}

/** The NATS edge: subscribes, limits and answers; what a call means is the pipeline's business. */
export function createNatsServer(parts: NatsServerParts): NatsServer {
  const { link, config, drain, serializer, requests, respond, allowList, origin, onUnhandled } = parts;
  const { namespace, group, limits } = config;
  const workerId = randomUUID().replaceAll("-", "");
  const blobs = createBlobs(link, namespace);
  const replies = createReplyWriter(link, blobs, serializer);
  const beats = new Beats(link, workerId, { onGone: cancel, onFailed: (error) => onUnhandled(error, "") });
  const itemReplies = new ItemReplies({ link, workerId, beats, drainMs: limits.streams.drainMs });
  const delays = new QueueDelay();
  const assignRequestId = createRequestIds();
  const inFlight = new CallsByAddress<NatsCall>();
  const subscriptions: Subscription[] = [];
  const prefixOf = { task: subjectPrefix(namespace, "task"), event: subjectPrefix(namespace, "emission") };
  /** Stays open until the last reply has left: callers cancel, and readers ask for more. */
  let controls: Subscription | undefined;
  let refusal: Error | undefined;
  let closing: Promise<void> | undefined;

  /** @param addressed what the message is for; `undefined`, its subject says nothing that an id is escaped to */
  function receive(addressed: WireTarget | undefined, message: Msg): void {
    const { reply: address } = message;
    // Without an address nothing can be answered. Others would have this worker publish what its caller may not.
    if (!address || /^(rt1\.|\$)/.test(address)) return;
    drain.enter();
    let target: ReplyTarget = { address, requestId: "", id: addressed?.id ?? "" };
    try {
      const headers = readHeaders(message.headers);
      const requestId = assignRequestId({ headers });
      target = { address, requestId, id: target.id };
      const refused = addressed === undefined ? notFound() : refusalOf();
      if (addressed === undefined || refused !== undefined) {
        publishRefusal(addressed, headers, refused as WireFailure);
        return finish(replies.refuse(target, refused as WireFailure));
      }
      takeWaitOff(headers, address);
      const isLong = (readDeadlineMs(headers) ?? Infinity) > 2 * beatMs;
      const body = incomingBody(message, headers, blobs);
      const call = new NatsCall({ target: addressed, headers, body, address, requestId, isLong });
      if (requests?.isOn === true) publish(requests, call, message.data.length);
      else serve(call, finish);
    } catch (error) {
      onFailed(error, target);
    }
  }

  /** What is refused before anything of it is looked at is a request as well. */
  function publishRefusal(target: WireTarget | undefined, headers: WireHeaders, { status, code }: WireFailure): void {
    if (requests?.isOn !== true) return;
    const observed = requestTraceOf(target, headers, origin);
    requests.begin(Object.assign(observed, { status, code }), (end) => end());
  }

  function serve(call: NatsCall, onDone: (sending: Promise<void> | undefined) => void): void {
    inFlight.add(call);
    // A shorter one is over before beats could be missed, whether its caller is still there or not.
    if (call.isLong) beats.add(call);
    const settle = (): void => {
      inFlight.delete(call);
      beats.delete(call);
    };
    respond(
      call,
      (response) => {
        // Streams of items are counted apart, and may last.
        if (isItemsResponse(response)) inFlight.delete(call);
        else settle();
        try {
          if (call.observed !== undefined) note(call.observed, response);
          if (isItemsResponse(response)) return onDone(itemReplies.send(call, response));
          const isShutDown = call.isShutDown && response.status === requestAborted.status;
          onDone(isShutDown ? replies.refuse(call, ofBegunCall(serverClosing())) : replies.send(call, response));
        } catch (error) {
          onFailed(error, call, onDone);
        }
      },
      (error) => {
        settle();
        onFailed(error, call, onDone);
      },
    );
  }

  function publish(point: TracePoint<RequestTrace>, call: NatsCall, bytesIn: number): void {
    const observed = (call.observed = requestTraceOf(call.target, call.headers, origin));
    observed.bytesIn = bytesIn;
    void point
      .run(observed, () => new Promise<void>((resolve) => serve(call, (sending) => resolve(sending))))
      .then(
        () => finish(undefined),
        (error: unknown) => onFailed(error, call),
      );
  }

  /** The reply has left, or is about to. */
  function finish(sending: Promise<void> | undefined): void {
    if (sending === undefined) return drain.leave();
    void sending.catch((error: unknown) => onUnhandled(error, "")).finally(() => drain.leave());
  }

  function onFailed(error: unknown, target: ReplyTarget, onDone = finish): void {
    if (!(error instanceof WireFailure)) onUnhandled(error, target.requestId);
    let sending: Promise<void> | undefined;
    try {
      sending = replies.refuse(target, error instanceof WireFailure ? error : internalError());
    } catch {
      // The connection is closed.
    }
    onDone(sending);
  }

  /** A caller has given its call up. */
  function cancel(address: string): void {
    inFlight.get(address)?.cancel();
    itemReplies.cancel(address);
  }

  function control(message: Msg): void {
    const { address, taken } = readControl(message.string());
    if (taken === undefined) cancel(address);
    else itemReplies.grant(address, taken);
  }

  function refusalOf(): WireFailure | undefined {
    if (!drain.admits) return serverClosing();
    return inFlight.count >= limits.inFlight || drain.count > limits.running ? overloaded() : undefined;
  }

  /** A call that waited in a buffer has so much less of its time left. */
  function takeWaitOff(headers: MessageHeaders, address: string): void {
    const leftMs = readDeadlineMs(headers);
    const sentAtMs = Number(headerOf(headers, sentAtHeader));
    if (leftMs === undefined || !(sentAtMs > 0)) return;
    const waitedMs = delays.of(address.slice(0, address.lastIndexOf(".")), sentAtMs);
    headers[deadlineHeader] = String(Math.max(0, Math.floor(leftMs - waitedMs)));
  }

  function subscribe(subject: string, queue: string | undefined, onMessage: (message: Msg) => void): Subscription {
    const onRefused = (error: Error): void => {
      refusal ??= denied(subject, error);
      onUnhandled(error, "");
    };
    return link.subscribe(subject, { queue }, onMessage, onRefused);
  }

  /** A subject that says what all its messages are for, so that it is not read from them. */
  function listenTo(target: WireTarget, prefix: string, queue: string): void {
    const subject = prefix + escapeId(target.id);
    subscriptions.push(subscribe(subject, queue, (message) => receive(target, message)));
  }

  function listenWide(kind: "task" | "event", pattern: string): void {
    const prefix = prefixOf[kind];
    const onMessage = (message: Msg): void => {
      const id = unescapeId(message.subject.slice(prefix.length));
      receive(id === undefined ? undefined : { kind, id }, message);
    };
    subscriptions.push(subscribe(prefix + pattern, group, onMessage));
  }

  /** Beside the subjects of callers that know of no version, where any version is called once. */
  async function listenToVersions(): Promise<void> {
    const { tasks } = await lockReachable(allowList(), parts.errors);
    for (const [id, { hash }] of Object.entries(tasks)) {
      listenTo({ kind: "task", id }, versionPrefix(namespace, hash), `${group}.${hash}`);
    }
  }

  async function shut(): Promise<void> {
    drain.announce();
    // What the broker has sent before it learns of this is served.
    const open = subscriptions.filter((subscription) => !subscription.isClosed());
    await settlesWithin(Promise.allSettled(open.map(async (each) => each.drain())), abortedCallsMs);
    drain.stopAdmitting();
    if (!(await settlesWithin(drain.whenIdle(), config.graceMs))) {
      for (const call of inFlight.all()) call.shutDown();
      itemReplies.shutDown();
      drain.abort();
      await settlesWithin(drain.whenIdle(), abortedCallsMs);
    }
    beats.close();
    itemReplies.close();
    if (controls?.isClosed() === false) controls.unsubscribe();
    if (link.isOnline)
      await settlesWithin(
        link.connection.flush().catch(() => {}),
        abortedCallsMs,
      );
    drain.close();
  }

  return {
    workerId,
    async listen() {
      const { tasks, events, open } = allowList();
      const wide = open ? [">"] : config.prefixes.map((prefix) => `${escapeId(prefix)}.>`);
      if (config.isVersioned) await listenToVersions();
      for (const [kind, served] of [
        ["task", tasks],
        ["event", events],
      ] as const) {
        const isCovered = (id: string): boolean =>
          open || config.prefixes.some((prefix) => id.startsWith(`${prefix}.`));
        for (const pattern of wide) listenWide(kind, pattern);
        for (const id of served.keys()) if (!isCovered(id)) listenTo({ kind, id }, prefixOf[kind], group);
      }
      controls = subscribe(controlSubject(namespace, workerId), undefined, control);
      // A refusal arrives before what answers the flush.
      await link.connection.flush();
      if (refusal !== undefined) throw refusal;
    },
    close: () => (closing ??= shut()),
  };
}

/** What is published of a reply. */
function note(observed: RequestTrace, { status, body }: WireResponse): void {
  observed.status = status;
  if (body.kind === "text") observed.bytesOut = Buffer.byteLength(body.text);
}

const denied = (subject: string, cause: Error): TunnelError =>
  Object.assign(
    new TunnelError(
      "BROKER_DENIED",
      `natsExposure may not listen to ${subject}: ${cause.message}.\n` +
        "  fix: let the permissions of its user in the broker's configuration include this subject (readmes/NATS.md).",
      { subject },
    ),
    { cause },
  );
