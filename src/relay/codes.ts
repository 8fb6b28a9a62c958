/** Why a stream was reset; the number travels in a RESET frame. */
export const ResetCode = /* @__PURE__ */ Object.freeze({
  CANCEL: 0,
  LINK_LOST: 1,
  BIND_TAKEOVER: 2,
  BIND_REVOKED: 3,
  /** Not processed: safe to retry. */
  REFUSED: 4,
  STREAM_LIMIT: 5,
  FLOW_CONTROL: 6,
  LOCAL_CONNECT_FAILED: 7,
  LOCAL_RESET: 8,
  BODY_LENGTH: 9,
  TIMEOUT: 10,
  POLICY: 11,
  QUOTA: 12,
  INTERNAL: 13,
  /** The visitor's connection was reset. */
  PEER_RESET: 14,
} as const);
export type ResetCode = (typeof ResetCode)[keyof typeof ResetCode];

/** Close codes of a link's WebSocket. */
export const CloseCode = /* @__PURE__ */ Object.freeze({
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  TEXT_MESSAGE: 1003,
  MESSAGE_TOO_BIG: 1009,
  INTERNAL: 1011,
  DRAINED: 4000,
  IDLE_TIMEOUT: 4001,
  ENHANCE_CALM: 4002,
  ADMIN_KILL: 4003,
  AUTH_EXPIRED: 4008,
  SUPERSEDED: 4009,
} as const);
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Why a session ends; the name travels in a GOAWAY message. */
export type GoAwayCode =
  | "SHUTDOWN"
  | "ROLLOVER"
  | "IDLE"
  | "IDLE_TIMEOUT"
  | "ADMIN_KILL"
  | "SUPERSEDED"
  | "AUTH_EXPIRED"
  | "QUOTA"
  | "ENHANCE_CALM"
  | "PROTOCOL_ERROR"
  | "INTERNAL";

/** Why a binding was refused; the name travels in a BIND_ERR message. */
export type BindErrorCode =
  | "ALREADY_BOUND"
  | "PORT_IN_USE"
  | "RESERVED_PORT"
  | "INVALID_HOST"
  | "PRIVILEGED_PORT"
  | "BIND_CAP_EXCEEDED"
  | "INVALID_KIND"
  | "POLICY"
  | "INTERNAL";

/** Why a HELLO was refused; the name travels in a HELLO_ERR message. */
export type HelloErrorCode = "AUTH" | "VERSION" | "CAPACITY" | "BAD_FRAME";
