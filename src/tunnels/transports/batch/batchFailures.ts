import type { BatchTransport } from "./batchParts";

type Errors = Pick<BatchTransport, "TunnelError" | "isLost">;

/** A call was sent in a batch, and its reply did not come. */
export function lostBatch({ TunnelError }: Pick<Errors, "TunnelError">, requestId?: string, cause?: unknown): Error {
  const message = "The batch of calls was lost before this one was answered: it may have run.";
  const error = new TunnelError("BATCH_LOST", message, { delivered: "unknown" }, { requestId });
  return cause === undefined ? error : Object.assign(error, { cause });
}

/** What the failure of a batch means for one of its calls: an error of its own, since each is told which call it ended. */
export function copyFailure(errors: Errors, error: unknown): unknown {
  const { TunnelError, isLost } = errors;
  if (typeof error !== "object" || error === null) return error;
  if (isLost(error as Error)) return lostBatch(errors, undefined, error);
  if (error instanceof TunnelError) {
    const { code, message, details, id, data, httpCode, requestId } = error;
    return new TunnelError(code, message, details, { id, data, httpCode, requestId });
  }
  const { name, message, stack } = error as Error;
  const copy = new Error(message, { cause: error });
  Object.defineProperty(copy, "name", { value: name, configurable: true, writable: true });
  if (stack !== undefined) copy.stack = stack;
  // As `code` and `syscall` of Node's.
  return Object.assign(copy, error);
}

/** Whether what fetch fails with is a connection that broke, and none that did not come about; pages cannot tell. */
export function isLostFetch({ name, message, cause }: Error): boolean {
  const { syscall, code, errors } = (cause ?? {}) as { syscall?: unknown; code?: unknown; errors?: unknown };
  if (syscall === "connect" || syscall === "getaddrinfo" || code === "ECONNREFUSED" || Array.isArray(errors))
    return false;
  return (
    name === "AbortError" ||
    (name === "TypeError" && /^(fetch failed|Failed to fetch|Load failed|NetworkError)/.test(message))
  );
}
