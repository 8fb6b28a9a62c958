/** Serves the application of the fetch edge by `Bun.serve`. */
import { startEdge } from "../../edge/edgeApp";

interface BunServer {
  readonly port: number;
  requestIP(request: Request): { address: string } | null;
}
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: BunServer): Promise<Response>;
  }): BunServer;
};

void startEdge().then(({ edge }) => {
  const { port } = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => edge.fetch(request, { remoteAddress: server.requestIP(request)?.address }),
  });
  console.log(`ready http://127.0.0.1:${port}`);
});
