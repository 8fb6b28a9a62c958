import type { IncomingMessage, ServerResponse } from "node:http";
import { requestAborted } from "../../errors/wireErrors";
import type { TracePoint } from "../../platform/tracePoint";
import type { RequestTrace } from "../../runtime/tracing";
import { exposureOrigin } from "../../tunnels/http/serveOptions";
import type { WireTarget } from "../../tunnels/protocol/wire";
import { incompleteReply, requestTraceOf } from "../../tunnels/server/traceRequests";

/**
 * Publishes one request, from its head to the last byte of its reply.
 *
 * @param answer calls back once, when that has left
 */
export function publishRequest(
  point: TracePoint<RequestTrace>,
  target: WireTarget | undefined,
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
  answer: (observed: RequestTrace, onDone: () => void) => void,
): void {
  const observed = requestTraceOf(target, req.headers, exposureOrigin);
  const bytesIn = countBody(req);
  const bytesOut = countReply(res);
  point.begin(observed, (end) =>
    answer(observed, () => {
      // A caller that leaves gets none.
      observed.status = res.headersSent ? res.statusCode : requestAborted.status;
      if (!res.headersSent) observed.code ??= requestAborted.code;
      else if (res.destroyed && !res.writableFinished) observed.code ??= incompleteReply;
      observed.bytesIn = bytesIn();
      observed.bytesOut = bytesOut();
      end();
    }),
  );
}

/** Listening for data would have it flow, so that this looks at what the parser hands over. */
function countBody(req: IncomingMessage): () => number {
  // A framework in front has read it, or there is no parser.
  if (req.complete || typeof req.push !== "function") {
    return () => Number(req.headers["content-length"] ?? 0) || 0;
  }
  let bytes = 0;
  const { push } = req;
  req.push = (chunk: Buffer | null, ...rest) => {
    if (chunk !== null) bytes += chunk.byteLength;
    return push.call(req, chunk, ...rest);
  };
  return () => bytes;
}

/** Of the body alone: heads and the borders of chunks are the protocol's. */
function countReply(res: ServerResponse): () => number {
  let bytes = 0;
  for (const name of ["write", "end"] as const) {
    const write = res[name] as (...args: unknown[]) => never;
    res[name] = ((...args: unknown[]) => {
      const [chunk, encoding] = args;
      if (typeof chunk === "string")
        bytes += Buffer.byteLength(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
      else if (chunk instanceof Uint8Array) bytes += chunk.byteLength;
      return write.apply(res, args);
    }) as never;
  }
  return () => bytes;
}
