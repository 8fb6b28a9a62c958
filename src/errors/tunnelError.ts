const brand: unique symbol = /* @__PURE__ */ Symbol.for("runner.tunnelError");

/** What else a failed call may tell. */
export interface TunnelErrorExtras {
  /** Id of the error helper that the server threw. */
  readonly id?: string | undefined;
  readonly data?: unknown;
  readonly httpCode?: number | undefined;
  /** Under which the server has logged the request, where it says so and the client can see it. */
  readonly requestId?: string | undefined;
}

/**
 * A call to another process failed: the server refused or failed it, or its reply was no envelope.
 *
 * `code` is the server's (`UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, `VALIDATION_ERROR`, `INTERNAL_ERROR`, ...) or the
 * client's own (`INVALID_RESPONSE`, `HTTP_ERROR`, `REQUEST_TIMEOUT`, `CLIENT_CLOSED`, `CONTEXT_TOO_LARGE`, `UNKNOWN`).
 *
 * @see readmes/TUNNEL_HTTP_POLICY.md
 */
export class TunnelError extends Error {
  // Declared, because where `Error.prototype` is frozen an inherited name cannot be assigned to.
  override name: string;
  readonly code: string;
  declare readonly details?: unknown;
  declare readonly id?: string;
  declare readonly data?: unknown;
  declare readonly httpCode?: number;
  declare readonly requestId?: string;

  constructor(code: string, message: string, details?: unknown, extras: TunnelErrorExtras = {}) {
    super(message);
    this.name = "TunnelError";
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
    // Absent facts stay absent, so that spreading or printing the error shows only what is known.
    const known = Object.entries({ details, ...extras }).filter(([, value]) => value !== undefined);
    Object.assign(this, Object.fromEntries(known));
  }

  /** Holds for instances of another copy of the package as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass keeps the ordinary meaning. It is recognised by what it extends: bundlers rename a class that mentions itself.
    if (Object.getPrototypeOf(this) !== Error) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }
}
