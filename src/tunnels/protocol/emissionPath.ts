import type { EmissionOrigin, EmissionPath } from "../../lib/emissionPath";
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
    // Interceptors may copy an emission, but not replace this function: all tunnels of the run send one id.
    [emissionIdHeader]: received?.id ?? idOf(emission.stopPropagation),
    [viaHeader]: [...(received?.via ?? []), runIdOf(run)].slice(-maxRuns).join(", "),
  };
}

/** The id of a run, by its event manager. */
export const runIdOf = (run: object): string => idOf(run);

/** Ids by what they name, made when they are first needed. */
const ids = /* @__PURE__ */ new WeakMap<object, string>();

/** Random, so that no caller can name the run or the emission of another one, and have its event left out. */
function idOf(named: object): string {
  const known = ids.get(named);
  if (known !== undefined) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  ids.set(named, made);
  return made;
}
