/** Serves the application of the fetch edge by `Deno.serve`. */
import { startEdge } from "../../edge/edgeApp";

interface DenoAddress {
  readonly hostname: string;
  readonly port: number;
}
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: DenoAddress): void },
    handler: (request: Request, info: { remoteAddr: DenoAddress }) => Promise<Response>,
  ): unknown;
};

void startEdge().then(({ edge }) =>
  Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: ({ port }) => console.log(`ready http://127.0.0.1:${port}`),
    },
    (request, { remoteAddr }) => edge.fetch(request, { remoteAddress: remoteAddr.hostname }),
  ),
);
