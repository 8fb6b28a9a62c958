import { isError } from "../../../errors/normaliseThrown";
import type { TraceContext } from "../../../lib/traceContext";
import type { TracePoint } from "../../../platform/tracePoint";
import type { CallTrace } from "../../../runtime/tracing";
import type { TransportLayer } from "../../client/carrier";
import { targetPath } from "../../protocol/paths";
import type { WireRequest, WireResponse } from "../../protocol/wire";

/**
 * Publishes the calls of a client. The trace that a listener gives to a call is the one that the server is told.
 *
 * @param baseUrl without credentials
 */
export const traceCalls =
  (point: TracePoint<CallTrace>, baseUrl: string): TransportLayer =>
  (next) => {
    const { origin, path } = split(baseUrl);
    return (request) => {
      if (!point.isOn) return next(request);
      const { target, body, trace } = request;
      const message: CallTrace = {
        ...(target.kind === "event" ? { eventId: target.id } : { taskId: target.id }),
        origin,
        path: path + targetPath(target),
        trace,
        bytesOut: undefined,
      };
      return point.run(message, async () => {
        if (body.kind === "text") message.bytesOut = byteLength(await body.read());
        try {
          const response = await next(withTrace(request, message.trace));
          readReply(response, message);
          return response;
        } catch (error) {
          message.code = codeOf(error);
          throw error;
        }
      });
    };
  };

const split = (baseUrl: string): { readonly origin: string; readonly path: string } => {
  const [origin = ""] = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(baseUrl) ?? [];
  return { origin, path: baseUrl.slice(origin.length) };
};

const withTrace = (request: WireRequest, trace: TraceContext | undefined): WireRequest =>
  trace === request.trace ? request : { ...request, trace };

function readReply({ status, body }: WireResponse, message: CallTrace): void {
  message.status = status;
  if (body.kind !== "text") return;
  message.bytesIn = byteLength(body.text);
  if (status < 400 || body.text.length > longestRefusal) return;
  try {
    const { error } = JSON.parse(body.text) as { error?: { code?: unknown; id?: unknown } };
    if (typeof error?.code === "string") message.code = error.code;
    if (typeof error?.id === "string") message.errorId = error.id;
  } catch {
    // A proxy on the way has answered.
  }
  message.code ??= "HTTP_ERROR";
}

/** In characters; the data of an error may be large, and its code is not worth reading all of that. */
const longestRefusal = 65_536;

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (typeof code === "string") return code;
  return isError(error) && typeof name === "string" ? name : "UNKNOWN";
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
