import { openApiOf } from "../contract/openApi";
import type { WireRequest } from "../protocol/wire";
import { cacheByReach } from "./cacheByReach";
import { lockReachable } from "./discoverContract";
import type { RunServer } from "./serveRun";

/** What of its config an HTTP edge describes itself with. */
interface DescribedEdge {
  readonly basePath: string;
  /** Where the header of the token is said. */
  readonly auth: { readonly header: string };
}

/**
 * The OpenAPI document of an edge, as JSON: of what the caller may reach, once it has authenticated as for a discovery.
 *
 * It is made at the first request, once for every selection of what can be reached.
 *
 * @returns a function that rejects with a `WireFailure` where the caller is refused
 */
export function createOpenApiText(
  { basePath, auth }: DescribedEdge,
  { reachableBy, errors }: Pick<RunServer, "reachableBy" | "errors">,
): (request: WireRequest) => Promise<string> {
  const texts = cacheByReach(async (reachable) => {
    const contract = await lockReachable(reachable, errors);
    return JSON.stringify(openApiOf(contract, { title: "Runner", url: basePath, tokenHeader: auth.header }));
  });
  return async (request) => texts(await reachableBy(request));
}
