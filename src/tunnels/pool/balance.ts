import type { WireRequest } from "../protocol/wire";
import type { Balance, Endpoint, EndpointInfo } from "./endpointStates";

/** A call for which an endpoint is to be chosen. */
export interface PooledCall {
  readonly kind: "task" | "event" | "discovery" | "batch" | "subscribe";
  /** Id of the task or event. */
  readonly id: string;
  /** What the task is called with. */
  readonly input: unknown;
}

/** Chooses the endpoint for a call: one of those given, all of which can be counted on. */
export type ChooseEndpoint = (endpoints: readonly EndpointInfo[], call: PooledCall) => EndpointInfo;

/** Makes what chooses the endpoint of each call. */
export function balanceBy(
  policy: "least-inflight" | "round-robin" | ChooseEndpoint,
): (request: WireRequest) => Balance {
  if (typeof policy === "function") return chosenBy(policy);
  const choose = policy === "round-robin" ? roundRobin() : leastInFlight();
  return () => choose;
}

/** One after the other. */
function roundRobin(): Balance {
  let turn = 0;
  return (endpoints) => endpoints[(turn = (turn + 1) % endpoints.length)] as Endpoint;
}

/** The one that has least to do; of several the next in turn, so that calls one at a time reach all of them. */
function leastInFlight(): Balance {
  let turn = 0;
  return (endpoints) => {
    const { length } = endpoints;
    turn = (turn + 1) % length;
    let least = endpoints[turn] as Endpoint;
    let chosen = turn;
    for (let step = 1; step < length && least.inFlight > 0; step += 1) {
      const index = (turn + step) % length;
      const endpoint = endpoints[index] as Endpoint;
      if (endpoint.inFlight < least.inFlight) {
        least = endpoint;
        chosen = index;
      }
    }
    turn = chosen;
    return least;
  };
}

/** @throws {TypeError} the function returned none of the endpoints it was given, or what the function throws */
const chosenBy =
  (choose: ChooseEndpoint) =>
  ({ target, input }: WireRequest): Balance =>
  (endpoints) => {
    const chosen: unknown = choose(endpoints, { kind: target.kind, id: target.id, input });
    const found = endpoints.find((endpoint) => endpoint === chosen);
    if (found !== undefined) return found;
    throw new TypeError(
      "balance returned none of the endpoints it was given.\n  fix: return one of its first argument, as endpoints[0]",
    );
  };
