import { isError } from "../../../errors/normaliseThrown";
import type { TraceContext } from "../../../lib/traceContext";
import type { TracePoint } from "../../../platform/tracePoint";
import type { CallTrace } from "../../../runtime/tracing";
import type { TransportLayer } from "../../client/carrier";
import { targetPath } from "../../protocol/paths";
import { refusalOf } from "../../protocol/refusal";
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
        ...(target.kind === "task" && { taskId: target.id }),
        ...(target.kind === "event" && { eventId: target.id }),
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

function readReply(response: WireResponse, message: CallTrace): void {
  const { status, body } = response;
  message.status = status;
  if (body.kind !== "text") return;
  message.bytesIn = byteLength(body.text);
  if (status < 400) return;
  const { code = "HTTP_ERROR", id } = refusalOf(response) ?? {};
  message.code = code;
  if (id !== undefined) message.errorId = id;
}

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (typeof code === "string") return code;
  return isError(error) && typeof name === "string" ? name : "UNKNOWN";
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
