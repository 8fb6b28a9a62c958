/**
 * Entry `.`: everything that runs anywhere. Bundlers find what serves calls in reach of what refers to it, so that they leave it out
 * of pages, and keep it in one file with the rest elsewhere.
 */
import { fetchExposure as exposure } from "./globals/fetch/fetchExposure";
import { withFetchEdge } from "./globals/fetch/withFetchEdge";
import { globals as all } from "./globals/index";
import { withTunnelParts } from "./globals/tunnels/withTunnelParts";

export * from "./shared";

/**
 * Serves tasks and events of a run by `fetch(request)`: on Bun, Deno, Workers, in routes of Next and other frameworks. Like
 * `nodeExposure`, those that a server-mode tunnel names, to callers that authenticate.
 *
 * Rejects the boot in the edge runtime of Next, which is not supported.
 *
 * @see readmes/FETCH_EDGE.md
 */
export const fetchExposure = /* @__PURE__ */ withFetchEdge(exposure);

/** What the framework provides. Nothing of it needs to be registered. */
export const globals = /* @__PURE__ */ withTunnelParts(all);
