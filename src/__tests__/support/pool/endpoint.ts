import type { IncomingMessage, ServerResponse } from "node:http";
import { createDeferred } from "../deferred";
import { sendJson, startPeer, type HttpPeer } from "../httpPeer";

/** A server of which a test says how it answers. */
export interface FakeEndpoint extends HttpPeer {
  /** Ids of the tasks that were called, in order. */
  readonly called: readonly string[];
  /** Paths of the probes that came, in order. */
  readonly probed: readonly string[];
  /** How it answers calls from now on. Default: with its name. */
  answer: (response: ServerResponse, request: IncomingMessage, body: string) => void;
  /** How it answers probes from now on. Default: 200. */
  ready: (response: ServerResponse) => void;
  /** Resolves when the next probe was answered. */
  nextProbe(): Promise<void>;
}

/** Starts a server that answers each call with its name. */
export async function startEndpoint(name: string): Promise<FakeEndpoint> {
  const called: string[] = [];
  const probed: string[] = [];
  let whenProbed = createDeferred();
  const peer = await startPeer((request, response, body) => {
    if (request.method === "GET") {
      probed.push(String(request.url));
      endpoint.ready(response);
      whenProbed.resolve();
      whenProbed = createDeferred();
      return;
    }
    called.push(String(request.url).replace(/^.*\/(task|event)\//, ""));
    endpoint.answer(response, request, body);
  });
  const endpoint: FakeEndpoint = Object.defineProperty(
    {
      ...peer,
      called,
      probed,
      answer: (response: ServerResponse) => sendJson(response, { ok: true, result: name }),
      ready: (response: ServerResponse) => sendJson(response, { status: "pass" }),
      nextProbe: () => whenProbed.promise,
    },
    "connectionCount",
    { get: () => peer.connectionCount },
  );
  return endpoint;
}

/** Answers with a refusal of a server. */
export const refusing =
  (
    code: string,
    { status = 503, ...error }: { readonly status?: number; readonly id?: string; readonly data?: object } = {},
  ) =>
  (response: ServerResponse): void =>
    sendJson(response, { ok: false, error: { message: code, code, httpCode: status, ...error } }, status);

/** Breaks the connection without an answer. */
export const breaking = (response: ServerResponse): void => void response.socket?.destroy();
