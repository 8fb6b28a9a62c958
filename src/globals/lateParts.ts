import type { MaybePromise } from "../lib/typeLevel";
import type * as fetchEdge from "./fetch/startFetchExposure";
import type * as memory from "./tunnels/serveMemory";
import type * as hearing from "../tunnels/routing/hearEvents";
import type * as verifying from "../tunnels/routing/verifyContract";

/** What serves calls and deals with contracts: much code, and most programs use none of it, or not at once. */
interface LateParts {
  readonly fetchEdge: typeof fetchEdge;
  readonly memory: typeof memory;
  readonly hearing: typeof hearing;
  readonly verifying: typeof verifying;
}

type Loaders = { [Name in keyof LateParts]: () => MaybePromise<LateParts[Name]> };

const loaders: Partial<Loaders> = {};

/** Says where parts come from; an entry does so with what refers to them. */
export function provideParts(given: Partial<Loaders>): void {
  Object.assign(loaders, given);
}

/** A part, which may have to be loaded. */
export const latePart = async <Name extends keyof LateParts>(name: Name): Promise<LateParts[Name]> =>
  (loaders as Loaders)[name]();
