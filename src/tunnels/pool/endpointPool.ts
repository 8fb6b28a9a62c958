import { isError } from "../../errors/normaliseThrown";
import { TunnelError } from "../../errors/tunnelError";
import { Deadline } from "../../lib/deadline";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { settlesWithin } from "../../lib/timers";
import { clientClosed, type Carrier, type CloseOptions } from "../client/carrier";
import { onceOver } from "../client/linkedSignal";
import { locatedAs } from "../protocol/callFailure";
import { deliveryOf, deliveryOfReply, type Delivery } from "../protocol/delivery";
import { mayRepeat, tellDelivery } from "../protocol/safeRepeat";
import type { Transport, WireRequest, WireResponse } from "../protocol/wire";
import { balanceBy } from "./balance";
import { EndpointStates, type Endpoint, type EndpointInfo, type Outcome } from "./endpointStates";
import { pollEndpoints, type Polls, type ProbeEndpoint } from "./polls";
import type { ReadUrl, ResolvedEndpoints } from "./poolConfig";

/** What sends calls to one endpoint. */
export type EndpointCarrier = Pick<Carrier, "send" | "close">;

export interface PoolParts {
  /** Makes what sends calls to one address. */
  readonly connect: (url: string) => EndpointCarrier;
  /** Asks an endpoint whether it takes calls. */
  readonly probe: ProbeEndpoint;
  readonly readUrl: ReadUrl;
  /** Receives what is wrong without failing a call. */
  readonly warn: (message: string, error?: unknown) => void;
  /** How long a call may wait for endpoints, in ms, as for its reply; 0: no limit but the call's own. Default 0. */
  readonly timeoutMs?: number | undefined;
  /** In ms; never goes back. Default: `performance.now()`. */
  readonly now?: (() => number) | undefined;
}

/** Sends calls to several endpoints. */
export interface EndpointPool extends EndpointCarrier {
  /** How the endpoints are now. */
  endpoints(): readonly EndpointInfo[];
}

/**
 * Sends each call to one of several endpoints, and moves it to another where that can do no harm. A call is sent to each endpoint
 * once at most; one whose body is read while it is sent is not moved once the reading has begun.
 *
 * @see readmes/SCALING.md
 */
export function createEndpointPool(config: ResolvedEndpoints, parts: PoolParts): EndpointPool {
  const { connect, timeoutMs = 0, now = () => performance.now() } = parts;
  const states = new EndpointStates(config.eject, now, config.probe !== undefined);
  const balance = balanceBy(config.balance);
  const carriers = new Map<Endpoint, EndpointCarrier>();
  const leaving = new Set<Promise<void>>();
  let isClosed = false;

  function replace(urls: readonly string[]): void {
    for (const endpoint of states.replace(urls)) {
      const carrier = carriers.get(endpoint);
      carriers.delete(endpoint);
      // Calls under way there go on, and end its connections.
      if (carrier === undefined) continue;
      const closing = carrier.close().catch(() => {});
      leaving.add(closing);
      void closing.then(() => leaving.delete(closing));
    }
  }

  replace(config.urls);
  const polls: Polls = pollEndpoints(config, { ...parts, states, replace });

  function carrierOf(endpoint: Endpoint): EndpointCarrier {
    let carrier = carriers.get(endpoint);
    if (carrier === undefined) carriers.set(endpoint, (carrier = connect(endpoint.url)));
    return carrier;
  }

  /** The endpoint for a call that was sent to all that are known: there may be new ones. */
  async function takeMore({ request, limit, tried }: Moving): Promise<Endpoint | undefined> {
    const waitMs = Math.min(limit?.remainingMs ?? Infinity, timeoutMs > 0 ? timeoutMs : Infinity);
    await settleOrAbort(settlesWithin(polls.resolveNow(), waitMs), request.signal);
    return isClosed ? undefined : states.take(balance(request), tried);
  }

  const send: Transport = async (request) => {
    if (isClosed) throw clientClosed();
    polls.start();
    const limit = request.timeoutMs === undefined ? undefined : Deadline.in(request.timeoutMs);
    const tried: Endpoint[] = [];
    const moving = { request, limit, tried };
    let attempt = request;
    let endpoint = states.take(balance(request)) ?? (await takeMore(moving));
    if (endpoint === undefined) throw isClosed ? clientClosed() : noEndpoints();
    for (;;) {
      tried.push(endpoint);
      const ended = await sendTo(endpoint, attempt);
      if (ended.delivery !== "answered" && !states.hasUp) void polls.resolveNow();
      if (!mayMove(request, ended, limit)) return unwrap(ended);
      const next = states.take(balance(request), tried) ?? (await takeMore(moving));
      if (next === undefined) return unwrap(ended);
      if (request.signal?.aborted === true) {
        states.settle(next, "unknown", next.state === "probing");
        throw request.signal.reason;
      }
      endpoint = next;
      if (limit !== undefined) attempt = { ...request, timeoutMs: limit.remainingMs };
    }
  };

  async function sendTo(endpoint: Endpoint, request: WireRequest): Promise<Ended> {
    const isAsking = endpoint.state === "probing";
    const bodyState = canBeSentAgain(request) ? undefined : { isUnread: false };
    try {
      const response = await carrierOf(endpoint).send(bodyState === undefined ? request : { ...request, bodyState });
      const { delivery, code } = deliveryOfReply(response);
      const outcome = code === "SERVER_CLOSING" ? "closing" : outcomeOf(delivery);
      states.note(endpoint, outcome, isAsking);
      // A streamed reply keeps its endpoint busy until it is over.
      onceOver(response.body, () => states.release(endpoint));
      return { delivery, response: { ...response, baseUrl: endpoint.url } };
    } catch (error) {
      const isCallers = request.signal?.aborted === true;
      const delivery = isCallers ? "answered" : deliveryOf(error);
      states.settle(endpoint, isCallers ? "unknown" : outcomeOf(delivery), isAsking);
      return { delivery, error, isUnread: bodyState?.isUnread === true };
    }
  }

  return {
    send,
    endpoints: () => states.all.map(({ url, state, inFlight, failures }) => ({ url, state, inFlight, failures })),
    async close(options?: CloseOptions) {
      isClosed = true;
      polls.stop();
      await Promise.all([...[...carriers.values()].map((carrier) => carrier.close(options)), ...leaving]);
    },
  };
}

/** A call that looks for an endpoint. */
interface Moving {
  readonly request: WireRequest;
  /** The time of the call, over all endpoints. */
  readonly limit: Deadline | undefined;
  /** Where it was sent before. */
  readonly tried: readonly Endpoint[];
}

/** How sending a call to one endpoint ended. */
type Ended =
  | { readonly delivery: Delivery; readonly response: WireResponse }
  | { readonly delivery: Delivery; readonly error: unknown; readonly isUnread: boolean };

const outcomeOf = (delivery: Delivery): Outcome => (delivery === "answered" ? "answered" : "failed");

/** Whether a call may be sent to another endpoint. */
function mayMove(request: WireRequest, ended: Ended, limit: Deadline | undefined): boolean {
  const { delivery } = ended;
  if (delivery === "answered" || request.signal?.aborted === true || limit?.remainingMs === 0) return false;
  if (!mayRepeat(delivery, request.isRepeatable === true)) return false;
  return canBeSentAgain(request) || ("error" in ended && ended.isUnread);
}

/** What a stream has given is gone, and a part of it may be. */
const canBeSentAgain = ({ body }: WireRequest): boolean =>
  body.kind === "text" || (body.kind === "form" && body.files.every(({ source }) => !("stream" in source)));

/** @throws {TunnelError} with the carrier's code: the call failed, and the error says whether it may have been taken */
function unwrap(ended: Ended): WireResponse {
  if ("response" in ended) return ended.response;
  throw ended.delivery === "answered" ? ended.error : asTunnelError(ended.error, ended.delivery);
}

function asTunnelError(error: unknown, delivery: Delivery): unknown {
  if (!isError(error)) return error;
  const { code } = error as { readonly code?: unknown };
  // A time limit has a class and a code of its own, with every client.
  if (typeof code !== "string" || error instanceof TunnelError) return tellDelivery(error, delivery);
  const failure = new TunnelError(code, error.message, { delivered: delivery });
  return locatedAs(Object.assign(failure, { cause: error }), error);
}

const noEndpoints = (): TunnelError =>
  new TunnelError(
    "NO_ENDPOINTS",
    "No endpoint is known.\n  fix: have resolve return at least one address in time, or list some in endpoints",
    { delivered: "no" },
  );
