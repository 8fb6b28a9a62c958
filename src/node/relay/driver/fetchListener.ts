import { once } from "node:events";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { flushHead } from "../flushHead";

/** A handler of the Fetch standard: a request becomes a response. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/**
 * Serves requests of Node by a handler of the Fetch standard; bodies are streams both ways, and the request's `signal`
 * aborts when the visitor leaves.
 *
 * A handler that throws is answered 500, and reported.
 */
export function fetchListener(handle: FetchHandler, report: (error: unknown) => void): RequestListener {
  return (req, res) => {
    const left = new AbortController();
    // It closes after success as well.
    res.once("close", () => res.writableFinished || left.abort());
    serve(handle, req, res, left.signal).catch((error: unknown) => {
      // What a handler throws because its visitor left is no news.
      if (!left.signal.aborted) report(error);
      if (res.headersSent) res.destroy();
      else res.writeHead(500).end();
    });
  };
}

async function serve(
  handle: FetchHandler,
  req: IncomingMessage,
  res: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const request = toRequest(req, signal);
  if (request === undefined) return void res.writeHead(400).end();
  const response = await handle(request);
  res.writeHead(response.status, response.statusText, flatHeaders(response.headers));
  // Heads leave before their first byte: a stream of events may stay silent for long.
  flushHead(res);
  if (response.body === null || req.method === "HEAD") {
    res.end();
    return response.body?.cancel();
  }
  await send(response.body, res, signal);
}

/** @returns `undefined` for what the Fetch standard has no request for: TRACE, or a host that is none */
function toRequest(req: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = "GET", headers, rawHeaders, url = "/" } = req;
  // Set by the relay, from the connection that it saw.
  const origin = `${headers["x-forwarded-proto"] === "https" ? "https" : "http"}://${headers.host ?? "localhost"}`;
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const fields = new Headers();
    for (let index = 0; index < rawHeaders.length; index += 2) {
      fields.append(rawHeaders[index] as string, rawHeaders[index + 1] as string);
    }
    return new Request(new URL(url, origin), {
      method,
      headers: fields,
      signal,
      ...(hasBody && { body: Readable.toWeb(req) as ReadableStream<Uint8Array>, duplex: "half" }),
    });
  } catch {
    return undefined;
  }
}

/** Cookies stay apart, as each is a header of its own. */
function flatHeaders(headers: Headers): string[] {
  const cookies = headers.getSetCookie().flatMap((cookie) => ["set-cookie", cookie]);
  return [...[...headers].filter(([name]) => name !== "set-cookie").flat(), ...cookies];
}

/** Writes a body at the pace of its reader; one whose reader left is cancelled, however long it stays silent. */
async function send(body: ReadableStream<Uint8Array>, res: ServerResponse, signal: AbortSignal): Promise<void> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (!res.write(next.value)) await once(res, "drain", { signal });
  }
  if (!signal.aborted) res.end();
}
