/** What a caller learns of a failure. */
export interface WireFailureFacts {
  /** The status over HTTP; carriers without statuses do not send it. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Id of the error helper that was thrown. */
  readonly id?: string | undefined;
  /** Data of the error, which the helper's schema describes. */
  readonly data?: unknown;
  /** The status that the error's helper declares. */
  readonly httpCode?: number | undefined;
  /** When it may be worth another try, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether the caller gets no detail, so that the log should. Default false. */
  readonly isOpaque?: boolean | undefined;
}

/**
 * A failure of a call, as its caller learns it. Stages of a server throw it, and it is caught where the reply is made.
 *
 * @see readmes/TUNNEL_HTTP_POLICY.md
 */
export class WireFailure extends Error implements WireFailureFacts {
  // Declared, because where `Error.prototype` is frozen an inherited name cannot be assigned to.
  override name: string;
  readonly status: number;
  readonly code: string;
  readonly id: string | undefined;
  readonly data: unknown;
  readonly httpCode: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly isOpaque: boolean;

  /** @param cause what went wrong here; never sent */
  constructor(facts: WireFailureFacts, cause?: unknown) {
    super(facts.message, cause === undefined ? undefined : { cause });
    this.name = facts.code;
    this.status = facts.status;
    this.code = facts.code;
    this.id = facts.id;
    this.data = facts.data;
    this.httpCode = facts.httpCode;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.isOpaque = facts.isOpaque === true;
  }
}

/** Makes a failure of the protocol itself, and has its facts. */
export interface FailureMaker extends Readonly<WireFailureFacts> {
  /** @param cause what went wrong here; never sent */
  (cause?: unknown): WireFailure;
}

function declareFailure(status: number, code: string, message: string, retryAfterSeconds?: number): FailureMaker {
  const facts = { status, code, message, retryAfterSeconds, isOpaque: code === "INTERNAL_ERROR" };
  return Object.freeze(Object.assign((cause?: unknown) => new WireFailure(facts, cause), facts));
}

export const invalidJson = /* @__PURE__ */ declareFailure(400, "INVALID_JSON", "Invalid JSON body");
export const invalidMultipart = /* @__PURE__ */ declareFailure(400, "INVALID_MULTIPART", "Invalid multipart payload");
export const invalidManifest = /* @__PURE__ */ declareFailure(400, "INVALID_MULTIPART", "Invalid manifest");
export const missingManifest = /* @__PURE__ */ declareFailure(400, "MISSING_MANIFEST", "Missing manifest");
export const unauthorized = /* @__PURE__ */ declareFailure(401, "UNAUTHORIZED", "Unauthorized");
export const exposureNotEnabled = /* @__PURE__ */ declareFailure(403, "FORBIDDEN", "Exposure not enabled");
export const crossSite = /* @__PURE__ */ declareFailure(403, "FORBIDDEN", "Cross-site request");
export const notFound = /* @__PURE__ */ declareFailure(404, "NOT_FOUND", "Not Found");
export const methodNotAllowed = /* @__PURE__ */ declareFailure(405, "METHOD_NOT_ALLOWED", "Method Not Allowed");
export const requestTimeout = /* @__PURE__ */ declareFailure(408, "REQUEST_TIMEOUT", "Request Timeout");
export const unsupportedEncoding = /* @__PURE__ */ declareFailure(
  415,
  "UNSUPPORTED_ENCODING",
  "Unsupported content encoding",
);
export const requestAborted = /* @__PURE__ */ declareFailure(499, "REQUEST_ABORTED", "Client Closed Request");
/** Whatever else went wrong, in the task or in the server. */
export const internalError = /* @__PURE__ */ declareFailure(500, "INTERNAL_ERROR", "Internal Error");
export const missingFilePart = /* @__PURE__ */ declareFailure(500, "MISSING_FILE_PART", "Internal Error");
export const streamError = /* @__PURE__ */ declareFailure(500, "STREAM_ERROR", "Internal Error");
export const authNotConfigured = /* @__PURE__ */ declareFailure(
  500,
  "AUTH_NOT_CONFIGURED",
  "Authentication not configured. Set auth.token, add validator tasks, or explicitly enable auth.allowAnonymous.",
);
export const bufferFull = /* @__PURE__ */ declareFailure(503, "OVERLOADED", "Too many bytes in flight", 1);
export const overloaded = /* @__PURE__ */ declareFailure(503, "OVERLOADED", "Too many requests in flight", 1);
export const serverClosing = /* @__PURE__ */ declareFailure(503, "SERVER_CLOSING", "The server is closing", 1);
/** Tasks read raw bytes from the context of the request. */
export const octetUnsupported = /* @__PURE__ */ declareFailure(
  501,
  "OCTET_UNSUPPORTED",
  "Raw bodies need AsyncLocalStorage, which this server's runtime does not have. Workers have it with the flag nodejs_als.",
);
export const authUnavailable = /* @__PURE__ */ declareFailure(503, "AUTH_UNAVAILABLE", "Authentication unavailable", 1);

/** An address has failed to authenticate too often. */
export const tooManyFailures = (retryAfterSeconds: number): WireFailure =>
  new WireFailure({ status: 429, code: "TOO_MANY_FAILURES", message: "Too many failed attempts", retryAfterSeconds });
/** A streamed task was called by what may not read items. */
export const notAcceptable = (id: string): WireFailure =>
  new WireFailure({
    status: 406,
    code: "NOT_ACCEPTABLE",
    message: `Task ${id} streams its items; call it by client.stream(), which sends "accept: application/x-runner-items+ndjson".`,
  });
/** More streams are open than `limits.streams.open`. */
export const tooManyStreams = (): WireFailure =>
  new WireFailure({
    status: 503,
    code: "OVERLOADED",
    message: "Too many open streams",
    data: { limit: "streams" },
    retryAfterSeconds: 1,
  });
/** A subscription was asked for by what may not read events. */
export const subscriptionNotAcceptable = (): WireFailure =>
  new WireFailure({
    status: 406,
    code: "NOT_ACCEPTABLE",
    message: 'Subscriptions reply with events; client.subscribe() sends "accept: application/x-runner-items+ndjson".',
  });
/** The body of a subscription makes no sense. */
export const invalidSubscription = (detail: string, data?: { readonly limit: number }): WireFailure =>
  new WireFailure({ status: 400, code: "INVALID_SUBSCRIPTION", message: `Invalid subscription: ${detail}`, data });
/** More subscriptions are open than `limits.subscriptions.open`. */
export const tooManySubscriptions = (): WireFailure =>
  new WireFailure({
    status: 503,
    code: "OVERLOADED",
    message: "Too many open subscriptions",
    data: { limit: "subscriptions" },
    retryAfterSeconds: 1,
  });
/** An item takes a line longer than `limits.streams.lineBytes`. */
export const itemTooLarge = (id: string, limitBytes: number): WireFailure =>
  new WireFailure({
    status: 500,
    code: "ITEM_TOO_LARGE",
    message: `Task ${id} yielded an item that takes more than ${limitBytes} bytes.`,
    data: { limitBytes },
  });
/** A task that takes items was called without. */
export const itemsMissing = (id: string): WireFailure =>
  new WireFailure({
    status: 415,
    code: "ITEMS_MISSING",
    message: `Task ${id} takes items; call it with { items }, which sends "content-type: application/x-runner-items+ndjson".`,
  });
/** A task that takes no items was sent some. */
export const itemsNotTaken = (id: string): WireFailure =>
  new WireFailure({
    status: 415,
    code: "ITEMS_NOT_TAKEN",
    message: `Task ${id} takes no items; call it with its input alone.`,
  });
/** A line of what a caller sends is longer than `limits.streams.lineBytes`. */
export const itemInputTooLarge = (id: string, limitBytes: number): WireFailure =>
  new WireFailure({
    status: 413,
    code: "ITEM_TOO_LARGE",
    message: `Task ${id} was sent an item, or an input beside items, that takes more than ${limitBytes} bytes.`,
    data: { limitBytes },
  });
/** The items of a caller ended without the line that ends them, or its connection broke, or was silent. */
export const streamLost = (message: string, cause?: unknown): WireFailure =>
  new WireFailure({ status: 400, code: "STREAM_LOST", message }, cause);
/** A streamed result holds something that cannot be sent as bytes: a mistake of the task, which its caller cannot mend. */
export const unstreamableResult = (streaming: string, kind: string): WireFailure =>
  new WireFailure({
    status: 500,
    code: "UNSTREAMABLE_RESULT",
    message: `${streaming} yielded ${kind}; a streamed result may yield bytes or text, such as JSON.stringify(item) + "\\n".`,
    isOpaque: true,
  });
/** The body of a batch says something else than calls. Nothing of it has run. */
export const invalidBatch = (why: string): WireFailure =>
  new WireFailure({ status: 400, code: "INVALID_BATCH", message: `Invalid batch: ${why}` });
/**
 * A call whose reply cannot stand in a batch.
 *
 * @param why without the subject, as "replies with bytes"
 * @param ran whether the task has run, at least in part: its caller must not make the call once more
 */
export const notBatchable = (id: string, why: string, ran: boolean): WireFailure =>
  new WireFailure({
    status: 406,
    code: "NOT_BATCHABLE",
    message: `Task ${id} ${why}, which a batch cannot carry${ran ? "; it has already run" : ""}.`,
    data: { ran },
  });
/** "Payload too large", or which multipart limit was passed. */
export const payloadTooLarge = (message = "Payload too large"): WireFailure =>
  new WireFailure({ status: 413, code: "PAYLOAD_TOO_LARGE", message });
export const notExposed = (kind: "Task" | "Event", id: string): WireFailure =>
  new WireFailure({ status: 403, code: "FORBIDDEN", message: `${kind} ${id} not exposed` });
export const notRegistered = (kind: "Task" | "Event", id: string): WireFailure =>
  new WireFailure({ status: 404, code: "NOT_FOUND", message: `${kind} ${id} not found` });
export const parallelReturnUnsupported = (id: string): WireFailure =>
  new WireFailure({
    status: 400,
    code: "PARALLEL_EVENT_RETURN_UNSUPPORTED",
    message: `Event ${id} is marked parallel; returning a payload is not supported.`,
  });
