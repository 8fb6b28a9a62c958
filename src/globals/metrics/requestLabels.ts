import { withFrameworkErrors } from "../../errors/knownErrors";
import { internalError } from "../../errors/wireErrors";
import type { Store } from "../../runtime/run/store";
import type { RequestTrace } from "../../runtime/tracing";
import type { RequestLabels } from "./instruments";

/** What callers could make up any number of is one value, as in OpenTelemetry. */
const other = "_OTHER";

/** Different codes that are told apart, beside the ids of errors. There are some thirty of them. */
const mostCodes = 100;

/** The labels of requests: ids of what the run has, codes of failures, and ids of its errors. */
export function createRequestLabels(
  store: Pick<Store, "tasks" | "events" | "errors">,
): (request: RequestTrace) => RequestLabels {
  const errors = withFrameworkErrors(store.errors);
  const codes = new Set<string>();

  function isKnownCode(code: string): boolean {
    if (codes.has(code)) return true;
    if (codes.size >= mostCodes || !/^[A-Z][A-Z\d_]{0,63}$/.test(code)) return false;
    codes.add(code);
    return true;
  }

  /** A declared error has no code of its own on the wire. */
  function codeOf({ code, errorId, status = 200 }: RequestTrace): string {
    if (code === undefined) return status < 400 ? "OK" : "HTTP_ERROR";
    if (code === internalError.code && errorId !== undefined) return errors.has(errorId) ? errorId : other;
    return isKnownCode(code) ? code : other;
  }

  return (request) => {
    const { taskId, eventId } = request;
    const code = codeOf(request);
    if (taskId !== undefined) return { kind: "task", id: store.tasks.has(taskId) ? taskId : other, code };
    if (eventId !== undefined) return { kind: "event", id: store.events.has(eventId) ? eventId : other, code };
    return { kind: "other", id: other, code };
  };
}
