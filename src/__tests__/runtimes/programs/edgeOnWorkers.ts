/** Serves the application of the fetch edge as a worker, which starts it in its global scope. */
import { startEdge } from "../../edge/edgeApp";

const starting = startEdge();

export default {
  async fetch(request: Request, env: unknown, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const { edge } = await starting;
    return edge.fetch(request, { waitUntil: (work) => context.waitUntil(work), platform: { env } });
  },
};
