import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it arrived, body complete. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** UTF-8; a body that is still arriving is not here. */
  readonly body: string;
}

/** A server on a loopback port of its own. */
export interface HttpPeer extends AsyncDisposable {
  readonly origin: string;
  /** Where clients think an exposure is mounted. */
  readonly baseUrl: string;
  /** In the order their bodies ended. */
  readonly received: readonly ReceivedRequest[];
  /** How many connections were ever accepted. */
  readonly connectionCount: number;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Answers each request once its body is there. */
export const startPeer = (answer: Answer): Promise<HttpPeer> =>
  startStreamingPeer((request, response, received) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ method: String(request.method), path: String(request.url), headers: request.headers, body });
      answer(request, response, body);
    });
  });

/** Answers each request as soon as its head is there. */
export async function startStreamingPeer(
  answer: (request: IncomingMessage, response: ServerResponse, received: ReceivedRequest[]) => void,
): Promise<HttpPeer> {
  const received: ReceivedRequest[] = [];
  let connectionCount = 0;
  const server = createServer((request, response) => {
    request.on("error", () => {});
    answer(request, response, received);
  });
  server.on("connection", () => (connectionCount += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    baseUrl: `${origin}/__runner`,
    received,
    get connectionCount() {
      return connectionCount;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const text = JSON.stringify(value);
  const headers = { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}
