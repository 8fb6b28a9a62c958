import type { Msg } from "@nats-io/transport-node";
import { TunnelError } from "../../../errors/tunnelError";
import { onAbort } from "../../../lib/onAbort";
import type { TransportLayer } from "../../../tunnels/client/carrier";
import { emissionIdHeader } from "../../../tunnels/protocol/headers";
import { originOf } from "../../../tunnels/transports/layers/emissionPath";
import { emissionPathHeaders, randomId } from "../../../tunnels/protocol/emissionPath";
import type { WireHeaders, WireRequest, WireResponse } from "../../../tunnels/protocol/wire";
import type { PendingCall, PendingCalls } from "../client/pendingCalls";
import { asking, brokerOffline } from "../brokerErrors";
import { codeBody, messageLimit } from "../bodies";
import { codingHeader, messageIdHeader } from "../messageHeaders";
import type { NatsLink } from "../link";
import { escapeId, eventStream, subjectPrefix } from "../subjects";
import { Streams } from "./streams";

/** How events leave: kept by a stream for every service that reads it, or to processes that listen at this moment. */
export type NatsEventDelivery = "durable" | "fanout";

export interface EventPublisherOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  readonly delivery: NatsEventDelivery;
  readonly offlineMs: number;
  readonly pending: PendingCalls;
}

/** Publishes events, in the place of a call that waits for hooks. */
export function createEventPublisher(options: EventPublisherOptions): (wire: WireRequest) => Promise<WireResponse> {
  const { link, namespace, delivery, offlineMs, pending } = options;
  const streams = new Streams(link, namespace);
  const prefix = subjectPrefix(namespace, delivery === "durable" ? "event" : "fanout");
  /** Once the stream is known to be there. */
  let isReady = delivery === "fanout";

  async function prepare(): Promise<void> {
    await asking(() => streams.ensureEvents());
    isReady = true;
  }

  /** At once where nothing has to be waited for. */
  function publish(wire: WireRequest): Promise<WireResponse> {
    const { body } = wire;
    if (isReady && link.isOnline && body.kind === "text") {
      const text = body.read();
      const limit = messageLimit(link.maxPayload);
      const coded = typeof text === "string" ? codeBody(text, limit) : undefined;
      if (coded !== undefined && !(coded instanceof Promise)) return hand(wire, coded.payload, undefined);
    }
    return publishLater(wire);
  }

  async function publishLater(wire: WireRequest): Promise<WireResponse> {
    const { body, signal, target } = wire;
    if (body.kind !== "text") throw new TypeError("Events carry values: files and streams of bytes go by a task.");
    if (!link.isOnline && !(await link.whenOnline(offlineMs, signal))) throw brokerOffline(link.servers, offlineMs);
    const limit = messageLimit(link.maxPayload);
    const coding = codeBody(await body.read(), limit);
    const { payload, coding: name } = coding instanceof Promise ? await coding : coding;
    if (payload.length > limit) throw tooLarge(target.id, payload.length, limit);
    if (!isReady) await prepare();
    return hand(wire, payload, name);
  }

  function hand(wire: WireRequest, payload: string | Uint8Array, coding: string | undefined): Promise<WireResponse> {
    const headers = headersOf(link, wire.headers, coding);
    const subject = prefix + escapeId(wire.target.id);
    if (delivery === "fanout") {
      link.publish(subject, payload, { headers });
      return Promise.resolve(accepted);
    }
    return acknowledged(wire, subject, payload, headers).catch(async (error: unknown) => {
      if (!(error instanceof TunnelError && error.code === "NO_RESPONDER")) throw error;
      // The stream was deleted.
      streams.forget();
      await prepare();
      return acknowledged(wire, subject, payload, headers);
    });
  }

  function acknowledged(
    { signal }: WireRequest,
    subject: string,
    payload: string | Uint8Array,
    headers: ReturnType<NatsLink["headersOf"]>,
  ): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      let stopListening = (): void => {};
      const call: PendingCall = {
        number: -1,
        address: "",
        subject,
        isWatched: true,
        heardAtMs: performance.now(),
        worker: undefined,
        onWorker: undefined,
        onReply(message) {
          stopListening();
          const refusal = readRefusal(message, eventStream(namespace));
          if (refusal === undefined) resolve(accepted);
          else reject(refusal);
        },
        onFailed(error) {
          stopListening();
          reject(error);
        },
      };
      pending.add(call);
      if (signal !== undefined) {
        stopListening = onAbort(signal, () => {
          pending.delete(call);
          reject(signal.reason as Error);
        });
        if (signal.aborted) return;
      }
      try {
        link.publish(subject, payload, { reply: call.address, headers });
      } catch (error) {
        pending.delete(call);
        stopListening();
        reject(error);
      }
    });
  }

  return publish;
}

/** Clients by the namespace in which their events are published, without an answer of the hooks. */
const publishers = /* @__PURE__ */ new WeakMap<object, string>();

/** Notes that the events of a client are published, durable or as fan-out. @returns the client */
export function asPublisher<C extends object>(client: C, namespace: string): C {
  publishers.set(client, namespace);
  return client;
}

/** Whether the events of a client are published in a namespace. */
export const publishesTo = (client: object | undefined, namespace: string): boolean =>
  client !== undefined && publishers.get(client) === namespace;

/**
 * Names each emission before anything can repeat it: the broker drops the second message of a name, so that an event may be
 * published again whose acknowledgement was lost.
 */
export const nameEmissions: TransportLayer = (next) => (request) => {
  if (request.target.kind !== "event") return next(request);
  const origin = originOf(request);
  const path = origin === undefined ? { [emissionIdHeader]: randomId() } : emissionPathHeaders(origin);
  return next({ ...request, headers: { ...path, ...request.headers }, isRepeatable: true });
};

function headersOf(link: NatsLink, headers: WireHeaders, coding: string | undefined) {
  const { "content-type": _always, [emissionIdHeader]: id, ...rest } = headers;
  // The name of the message is that of the emission, which is therefore not sent twice.
  return link.headersOf({ ...rest, [codingHeader]: coding, [messageIdHeader]: id });
}

const accepted: WireResponse = { status: 200, body: { kind: "text", text: '{"ok":true}' } };

/** What a stream says that has not taken an event. */
function readRefusal(message: Msg, stream: string): TunnelError | undefined {
  let answer: { error?: { description?: unknown; code?: unknown } };
  try {
    answer = message.json();
  } catch {
    return new TunnelError("INVALID_RESPONSE", `What answers for the stream ${stream} is no acknowledgement.`);
  }
  const { error } = answer;
  if (error === undefined) return undefined;
  return new TunnelError(
    "EVENT_REFUSED",
    `The stream ${stream} has not taken the event: ${String(error.description)}.`,
    { stream, delivered: "no" },
    { httpCode: typeof error.code === "number" ? error.code : 503 },
  );
}

const tooLarge = (id: string, bytes: number, limitBytes: number): TunnelError =>
  new TunnelError(
    "PAYLOAD_TOO_LARGE",
    `Event "${id}" takes ${bytes} bytes, compressed, and an event may take ${limitBytes}.\n` +
      "  fix: keep what is large in a store of yours, and send where it is; or call a task, whose input may be larger (readmes/NATS.md).",
    { limitBytes, bytes, delivered: "no" },
    { httpCode: 413 },
  );
