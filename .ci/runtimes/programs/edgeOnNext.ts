/** Serves the application of the fetch edge in a route of Next. */
import { after } from "next/server";
import { startEdge } from "../../../src/__tests__/edge/edgeApp";

let starting: ReturnType<typeof startEdge> | undefined;

async function serve(request: Request): Promise<Response> {
  const { edge } = await (starting ??= startEdge());
  return edge.fetch(request, { waitUntil: (work) => after(() => work) });
}

export { serve as GET, serve as OPTIONS, serve as POST, serve as PUT };
