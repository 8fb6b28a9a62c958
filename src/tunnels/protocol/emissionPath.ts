import type { EmissionOrigin, EmissionPath } from "../../lib/emissionPath";
import { randomHex } from "../../lib/hex";
import { emissionIdHeader, viaHeader } from "./headers";
import type { WireHeaders } from "./wire";

/** Most ids in a path; the oldest ones go first. */
const maxRuns = 32;
/** As they are made here: 128 random bits. */
const idPattern = /^[\da-f]{32}$/;

/** The path of an emission that arrives. What is malformed counts as absent. */
export function readEmissionPath(headers: WireHeaders): EmissionPath | undefined {
  const id = headers[emissionIdHeader];
  const via = headers[viaHeader];
  if (id === undefined && via === undefined) return undefined;
  return {
    id: typeof id === "string" && idPattern.test(id) ? id : undefined,
    via:
      typeof via === "string" && via.length <= maxRuns * 34
        ? via.split(/, ?/).filter((run) => idPattern.test(run))
        : [],
  };
}

/** The headers of an emission that leaves a run. */
export function emissionPathHeaders({ run, emission, scope }: EmissionOrigin): WireHeaders {
  // What hooks emit in turn has the scope as well, and is another emission.
  const received = emission.source === scope?.origin ? scope?.path : undefined;
  return {
    [emissionIdHeader]: received?.id ?? emissionIdOf(emission),
    [viaHeader]: [...(received?.via ?? []), runIdOf(run)].slice(-maxRuns).join(", "),
  };
}

/** On what it names: a WeakMap with an entry for each emission makes collecting garbage a quarter slower. */
const symbolId: unique symbol = /* @__PURE__ */ Symbol();

interface Named {
  [symbolId]?: string;
}

/** The id of a run, by its event manager. Random, so that no caller can name the run of another one, and have its event left out. */
export const runIdOf = (run: object & Named): string => (run[symbolId] ??= randomHex(16));

/** Interceptors may copy an emission, but not replace this function: all tunnels of the run send one id. */
const emissionIdOf = ({ stopPropagation }: { stopPropagation: (() => void) & Named }): string =>
  (stopPropagation[symbolId] ??= randomId());

/** Random bytes for the next ids: to ask for them one by one costs more than the rest of a small emission. */
const pool = /* @__PURE__ */ (() => ({ hex: "", at: 0 }))();

/** 128 random bits, in hex. */
export function randomId(): string {
  if (pool.at === pool.hex.length) {
    pool.hex = randomHex(2048);
    pool.at = 0;
  }
  return pool.hex.slice(pool.at, (pool.at += 32));
}
