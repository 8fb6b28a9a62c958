import { normalizeError } from "../../errors/normaliseThrown";
import type { Logger } from "../../runtime/logger";
import { requestIdHeader } from "../protocol/headers";
import type { WireRequest } from "../protocol/wire";

/** Logs what fails at an edge, outside the pipeline. Logging is best effort: it never rejects and is not waited for. */
export function createEdgeReports(edge: "http" | "fetch", logger: Logger) {
  return {
    onBroken: (error: unknown, requestId: string) =>
      void logger.error(`exposure.${edge}.broken`, { error, data: { error: messageOf(error), requestId } }),
    onDropped: (call: WireRequest) =>
      void logger.warn("exposure.task.dropped: the task wrote its own response and also returned a value.", {
        data: { requestId: call.headers[requestIdHeader], id: call.target.id },
      }),
    onWorkFailed: (error: unknown, requestId: string) =>
      void logger.error(`exposure.${edge}.work`, { error, data: { error: messageOf(error), requestId } }),
    onUnhandled: (error: unknown, requestId: string) =>
      void logger.error(`exposure.${edge}.unhandled`, { error, data: { error: messageOf(error), requestId } }),
  };
}

const messageOf = (thrown: unknown): string => normalizeError(thrown).message;
