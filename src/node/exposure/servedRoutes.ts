import type { IncomingMessage } from "node:http";
import { createRouter, type unknownTarget } from "../../tunnels/http/router";
import { targetPath } from "../../tunnels/protocol/paths";
import type { WireTarget } from "../../tunnels/protocol/wire";
import type { RunServer } from "../../tunnels/server/serveRun";
import type { Probe, Probes } from "./probes";

/** What a request below the base path is addressed to; `undefined` for one that is not. */
export type RouteOf = (
  req: IncomingMessage & { readonly originalUrl?: unknown },
) => WireTarget | typeof unknownTarget | Probe | undefined;

/** Finds what requests address, first by the URLs that were served before. */
export function createServedRoutes(
  basePath: string,
  { allowList, probes }: Pick<RunServer, "allowList"> & { readonly probes: Pick<Probes, "find"> },
): RouteOf {
  const route = createRouter(basePath);
  const served = new Map<string, WireTarget>();

  /** One URL for each id that is served, as clients write it: what others send cannot make the map grow. */
  function remember(url: string, target: WireTarget): void {
    const { tasks, events } = allowList();
    const isServed = target.kind === "task" ? tasks.has(target.id) : target.kind === "event" && events.has(target.id);
    if (isServed && url === (basePath === "/" ? "" : basePath) + targetPath(target)) served.set(url, target);
  }

  /** Frameworks cut what a handler is mounted at off `url` and keep the whole in `originalUrl`. */
  return (req) => {
    const { url = "/" } = req;
    const known = served.get(url);
    if (known !== undefined) return known;
    const probe = probes.find(req);
    if (probe !== undefined) return probe;
    const target = route(url);
    if (target === undefined && typeof req.originalUrl === "string") return route(req.originalUrl);
    if (typeof target === "object") remember(url, target);
    return target;
  };
}
