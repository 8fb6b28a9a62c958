/**
 * A refusal of the protocol itself: what an exposure replies before, or instead of, running a task.
 *
 * @see readmes/TUNNEL_HTTP_POLICY.md
 */
export interface WireFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** When it may be worth another try, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
}

const failure = (status: number, code: string, message: string, retryAfterSeconds?: number): WireFailure =>
  Object.freeze({ status, code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });

/** Thrown by the stages of a server, caught where the reply is made. */
export class WireFailureError extends Error {
  // Declared, because where `Error.prototype` is frozen an inherited name cannot be assigned to.
  override name: string;
  readonly failure: WireFailure;

  /** @param cause what went wrong here; never sent */
  constructor(failure: WireFailure, cause?: unknown) {
    super(failure.message, cause === undefined ? undefined : { cause });
    this.name = failure.code;
    this.failure = failure;
  }
}

export const invalidJson = /* @__PURE__ */ failure(400, "INVALID_JSON", "Invalid JSON body");
export const invalidMultipart = /* @__PURE__ */ failure(400, "INVALID_MULTIPART", "Invalid multipart payload");
export const invalidManifest = /* @__PURE__ */ failure(400, "INVALID_MULTIPART", "Invalid manifest");
export const missingManifest = /* @__PURE__ */ failure(400, "MISSING_MANIFEST", "Missing manifest");
export const unauthorized = /* @__PURE__ */ failure(401, "UNAUTHORIZED", "Unauthorized");
export const exposureNotEnabled = /* @__PURE__ */ failure(403, "FORBIDDEN", "Exposure not enabled");
export const notFound = /* @__PURE__ */ failure(404, "NOT_FOUND", "Not Found");
export const methodNotAllowed = /* @__PURE__ */ failure(405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
export const requestTimeout = /* @__PURE__ */ failure(408, "REQUEST_TIMEOUT", "Request Timeout");
export const unsupportedEncoding = /* @__PURE__ */ failure(415, "UNSUPPORTED_ENCODING", "Unsupported content encoding");
export const requestAborted = /* @__PURE__ */ failure(499, "REQUEST_ABORTED", "Client Closed Request");
export const internalError = /* @__PURE__ */ failure(500, "INTERNAL_ERROR", "Internal Error");
export const missingFilePart = /* @__PURE__ */ failure(500, "MISSING_FILE_PART", "Internal Error");
export const streamError = /* @__PURE__ */ failure(500, "STREAM_ERROR", "Internal Error");
export const authNotConfigured = /* @__PURE__ */ failure(
  500,
  "AUTH_NOT_CONFIGURED",
  "Authentication not configured. Set auth.token, add validator tasks, or explicitly enable auth.allowAnonymous.",
);
export const bufferFull = /* @__PURE__ */ failure(503, "OVERLOADED", "Too many bytes in flight", 1);
export const overloaded = /* @__PURE__ */ failure(503, "OVERLOADED", "Too many requests in flight", 1);
export const serverClosing = /* @__PURE__ */ failure(503, "SERVER_CLOSING", "The server is closing", 1);
export const authUnavailable = /* @__PURE__ */ failure(503, "AUTH_UNAVAILABLE", "Authentication unavailable", 1);

/** A streamed result holds something that cannot be sent as bytes. */
export const unstreamableResult = (streaming: string, kind: string): WireFailure =>
  failure(
    500,
    "UNSTREAMABLE_RESULT",
    `${streaming} yielded ${kind}; a streamed result may yield bytes or text, such as JSON.stringify(item) + "\\n".`,
  );
/** "Payload too large", or which multipart limit was passed. */
export const payloadTooLarge = (message = "Payload too large"): WireFailure =>
  failure(413, "PAYLOAD_TOO_LARGE", message);
export const notExposed = (kind: "Task" | "Event", id: string): WireFailure =>
  failure(403, "FORBIDDEN", `${kind} ${id} not exposed`);
export const notRegistered = (kind: "Task" | "Event", id: string): WireFailure =>
  failure(404, "NOT_FOUND", `${kind} ${id} not found`);
export const parallelReturnUnsupported = (id: string): WireFailure =>
  failure(
    400,
    "PARALLEL_EVENT_RETURN_UNSUPPORTED",
    `Event ${id} is marked parallel; returning a payload is not supported.`,
  );
