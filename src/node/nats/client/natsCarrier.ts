import { clientClosed, type Abilities, type Carrier } from "../../../tunnels/client/carrier";
import { deadlineHeader } from "../../../tunnels/protocol/headers";
import { defaultReplyBytes } from "../../../tunnels/protocol/replyLimit";
import type { WireHeaders, WireRequest, WireResponse } from "../../../tunnels/protocol/wire";
import { createBlobs } from "../blobs";
import { brokerOffline } from "../brokerErrors";
import { codeBody, messageLimit } from "../bodies";
import { codingHeader, blobHeader, sentAtHeader } from "../messageHeaders";
import { sendCancel } from "../itemFrames";
import type { NatsLink } from "../link";
import { createEventPublisher, type NatsEventDelivery } from "../events/eventPublisher";
import { escapeId, subjectPrefix, versionPrefix } from "../subjects";
import { Exchange, type ExchangeParts } from "./exchange";
import { PendingCalls } from "./pendingCalls";

export interface NatsCarrierOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  /** How long calls wait for a broker that is away, in ms. */
  readonly offlineMs: number;
  /** The time that each call gets by the configuration of the client, in ms. */
  readonly timeoutMs?: number | undefined;
  /** Largest reply, decompressed, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
  /** The hash of the version of a task that is called, by its id. Default: any version. */
  readonly versions?: ReadonlyMap<string, string> | undefined;
  /** How events leave. Default: as calls of servers, which answer once the hooks are done. */
  readonly delivery?: NatsEventDelivery | undefined;
}

/** Sends calls to whichever worker of a queue group the broker chooses. */
export function natsCarrier(options: NatsCarrierOptions): Carrier {
  const { link, namespace, offlineMs, timeoutMs = 0, maxReplyBytes = defaultReplyBytes } = options;
  const pending = new PendingCalls(link, (worker, address) => sendCancel(link, namespace, { worker, address }));
  const blobs = createBlobs(link, namespace);
  const headersOf = createHeaders(link);
  const subjects = createSubjects(namespace, options.versions);
  const { delivery } = options;
  const calls: ExchangeParts = { link, namespace, pending, blobs, timeoutMs, maxReplyBytes };
  const publish = delivery && createEventPublisher({ link, namespace, delivery, offlineMs, pending });
  let isClosed = false;

  function send(wire: WireRequest): Promise<WireResponse> {
    if (isClosed) return Promise.reject(clientClosed());
    if (publish !== undefined && wire.target.kind === "event") return publish(wire);
    if (wire.body.kind !== "text") return Promise.reject(new TypeError(noBytes.refusal));
    const text = wire.body.read();
    if (typeof text !== "string" || !link.isOnline) return sendLater(wire, text);
    const coded = codeBody(text, messageLimit(link.maxPayload));
    return coded instanceof Promise ? sendLater(wire, text) : exchange(wire, coded.payload, undefined);
  }

  /** What waits for something before it leaves. */
  async function sendLater(wire: WireRequest, reading: string | Promise<string>): Promise<WireResponse> {
    const text = await reading;
    // Nothing is handed to the library meanwhile: it would be sent when the caller has long been told that it failed.
    if (!(await link.whenOnline(offlineMs, wire.signal))) throw brokerOffline(link.servers, offlineMs);
    const limit = messageLimit(link.maxPayload);
    const { payload, coding } = await codeBody(text, limit);
    const own = { [codingHeader]: coding };
    if (payload.length <= limit) return exchange(wire, payload, own);
    const name = await blobs.put(payload as Uint8Array);
    try {
      return await exchange(wire, "", { ...own, [blobHeader]: name });
    } finally {
      void blobs.delete(name);
    }
  }

  const exchange = (
    wire: WireRequest,
    payload: string | Uint8Array,
    own: WireHeaders | undefined,
  ): Promise<WireResponse> =>
    new Promise((resolve, reject) => {
      new Exchange(calls, wire, { subject: subjects(wire.target), resolve, reject }).begin(
        payload,
        headersOf(wire.headers, own),
      );
    });

  return {
    accepts,
    send,
    async close({ signal } = {}) {
      isClosed = true;
      if (signal?.aborted === true) pending.failAll(() => clientClosed());
      pending.close();
    },
  };
}

const noBytes = {
  refusal:
    "NATS carries values: files and streams of bytes go by an HTTP tunnel, r.tunnel.client(...).tasks([...]).http({ ... }).",
};

const noSentItems = {
  refusal:
    "NATS carries the items of a reply, and none of a caller: { items } goes by an HTTP tunnel, r.tunnel.client(...).tasks([...]).http({ ... }).",
};

const noSubscriptions =
  "NATS carries no subscriptions: subscribe by a client of HTTP, or route the events to this process by a tunnel of the other one.";

const accepts: Abilities = {
  abort: true,
  streams: noBytes,
  files: noBytes,
  nodeFiles: noBytes,
  items: noSentItems,
};

/** The subjects of what a client calls; as many as its caller has ids. */
function createSubjects(
  namespace: string,
  versions: ReadonlyMap<string, string> = new Map(),
): (target: WireRequest["target"]) => string {
  const prefixes = { task: subjectPrefix(namespace, "task"), event: subjectPrefix(namespace, "emission") };
  return ({ kind, id }) => {
    if (kind === "subscribe") throw new TypeError(noSubscriptions);
    if (kind !== "task" && kind !== "event")
      throw new TypeError(`Over NATS tasks and events are called, and no ${kind}.`);
    const hash = kind === "task" ? versions.get(id) : undefined;
    return (hash === undefined ? prefixes[kind] : versionPrefix(namespace, hash)) + escapeId(id);
  };
}

/** Writes the headers of messages; most calls of a client have the same. */
function createHeaders(link: NatsLink) {
  let last:
    { readonly headers: WireHeaders; readonly written: ReturnType<NatsLink["headersOf"]> | undefined } | undefined;
  const sentOf = ({ "content-type": _always, ...rest }: WireHeaders): WireHeaders =>
    deadlineHeader in rest ? { ...rest, [sentAtHeader]: String(Date.now()) } : rest;
  const isNone = (headers: WireHeaders): boolean => Object.keys(headers).length === 0;
  return (headers: WireHeaders, own: WireHeaders | undefined) => {
    if (own === undefined && headers === last?.headers) return last.written;
    const sent = sentOf(own === undefined ? headers : { ...headers, ...own });
    if (own !== undefined || deadlineHeader in headers) return isNone(sent) ? undefined : link.headersOf(sent);
    last = { headers, written: isNone(sent) ? undefined : link.lastingHeadersOf(sent) };
    return last.written;
  };
}
