import type { BindErrorCode, GoAwayCode, HelloErrorCode } from "./codes";
import { asRecord, encodeJson, malformed, parseJson } from "./framePayloads";
import { maxControlBytes } from "./frames";

/** First message of a driver on a link. */
export interface Hello {
  readonly t: "HELLO";
  readonly v?: number | undefined;
  readonly agent?: string | undefined;
  readonly maxStreams?: number | undefined;
  /** Largest payload of a frame, in bytes. */
  readonly maxFrame?: number | undefined;
  /** First window of a stream, in bytes. */
  readonly window?: number | undefined;
  readonly features?: readonly string[] | undefined;
  /** How many links the driver would like, itself included. */
  readonly connections?: number | undefined;
  readonly resume?: { readonly sessionId: string; readonly token?: string | undefined } | undefined;
  /** On secondary links, and then alone. */
  readonly shard?: { readonly sessionId: string; readonly token: string; readonly index: number } | undefined;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** A binding, as HELLO_OK lists those that a resumed session still has. */
export interface BindingDescription {
  readonly kind: BindKind;
  readonly mode: BindMode;
  readonly containerPort: number;
  readonly bindId: number;
  readonly name?: string | undefined;
}

export interface HelloOk {
  readonly t: "HELLO_OK";
  readonly sessionId: string;
  readonly resumeToken: string;
  readonly resumed: boolean;
  readonly protocol: string;
  readonly maxStreams: number;
  readonly maxFrame: number;
  readonly window: number;
  readonly maxWindow: number;
  readonly features: readonly string[];
  readonly pingMs: number;
  readonly deadMs: number;
  readonly graceMs: number;
  readonly connections: number;
  readonly shardToken: string;
  readonly bindings: readonly BindingDescription[];
  readonly limits: { readonly maxBindings: number; readonly sessionBufferBytes: number };
}

export interface HelloErr {
  readonly t: "HELLO_ERR";
  readonly code: HelloErrorCode;
  readonly message?: string | undefined;
}

export type BindKind = "http" | "tcp";
export type BindMode = "expose" | "pull";

/** A driver asks for a binding; kind, mode, host and port are checked by who answers, so they are as they came. */
export interface Bind {
  readonly t: "BIND";
  readonly req: number;
  readonly kind: unknown;
  readonly mode: unknown;
  readonly containerPort: unknown;
  readonly host: unknown;
  readonly name: unknown;
  readonly path: unknown;
  readonly takeover: boolean;
}

export interface BindOk {
  readonly t: "BIND_OK";
  readonly req: number;
  readonly bindId: number;
  readonly containerPort: number;
  readonly publicUrl: string | null;
}

export interface BindErr {
  readonly t: "BIND_ERR";
  readonly req: number;
  readonly code: BindErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export interface BindRevoked {
  readonly t: "BIND_REVOKED";
  readonly bindId: number;
  readonly code: "TAKEOVER" | "ADMIN" | "QUOTA" | "AUTH_EXPIRED";
}

export interface Unbind {
  readonly t: "UNBIND";
  readonly req: number;
  readonly bindId: number;
}

export interface UnbindOk {
  readonly t: "UNBIND_OK";
  readonly req: number;
}

export interface GoAway {
  readonly t: "GOAWAY";
  readonly code: GoAwayCode;
  readonly lastStreamId: number;
  readonly drainMs: number;
  /** Whether the driver may come back. */
  readonly reconnect: boolean;
  readonly message: string;
}

/** What a driver sends. */
export type DriverMessage = Hello | Bind | Unbind | GoAway;
/** What a relay sends. */
export type RelayMessage = HelloOk | HelloErr | BindOk | BindErr | BindRevoked | UnbindOk | GoAway;
export type ControlMessage = DriverMessage | RelayMessage;

/** The answer to the greeting of a secondary link, for which all was agreed on over the primary one. */
export const encodeShardOk = (): Uint8Array => encodeJson({ t: "HELLO_OK" });

export const encodeControl = (message: ControlMessage): Uint8Array => encodeJson(message);

/**
 * Reads a control message.
 *
 * @returns `undefined` for one of an unknown type, which is ignored
 * @throws {MuxProtocolError} it is too large, no JSON object, or one of its fields makes no sense
 */
export function decodeControl(payload: Uint8Array): ControlMessage | undefined {
  if (payload.length > maxControlBytes) throw malformed("CTRL");
  const message = asRecord(parseJson(payload, "CTRL"), "CTRL");
  const { t } = message;
  if (typeof t !== "string") throw malformed("CTRL");
  return Object.hasOwn(readers, t) ? readers[t as ControlMessage["t"]](message) : undefined;
}

type Fields = Record<string, unknown>;

const readers: { readonly [T in ControlMessage["t"]]: (fields: Fields) => Extract<ControlMessage, { t: T }> } = {
  HELLO: (fields) => ({
    t: "HELLO",
    v: optionalCount(fields.v, "HELLO"),
    agent: optionalText(fields.agent, 256),
    maxStreams: optionalCount(fields.maxStreams, "HELLO"),
    maxFrame: optionalCount(fields.maxFrame, "HELLO"),
    window: optionalCount(fields.window, "HELLO"),
    features: textList(fields.features),
    connections: optionalCount(fields.connections, "HELLO"),
    resume: readResume(fields.resume),
    shard: readShard(fields.shard),
    meta: isAbsent(fields.meta) ? undefined : asRecord(fields.meta, "HELLO"),
  }),
  HELLO_OK: (fields) => ({
    t: "HELLO_OK",
    sessionId: text(fields.sessionId ?? "", "HELLO_OK"),
    resumeToken: text(fields.resumeToken ?? "", "HELLO_OK"),
    resumed: fields.resumed === true,
    protocol: text(fields.protocol ?? "", "HELLO_OK"),
    maxStreams: optionalCount(fields.maxStreams, "HELLO_OK") ?? 0,
    maxFrame: optionalCount(fields.maxFrame, "HELLO_OK") ?? 0,
    window: optionalCount(fields.window, "HELLO_OK") ?? 0,
    maxWindow: optionalCount(fields.maxWindow, "HELLO_OK") ?? 0,
    features: textList(fields.features) ?? [],
    pingMs: optionalCount(fields.pingMs, "HELLO_OK") ?? 0,
    deadMs: optionalCount(fields.deadMs, "HELLO_OK") ?? 0,
    graceMs: optionalCount(fields.graceMs, "HELLO_OK") ?? 0,
    connections: optionalCount(fields.connections, "HELLO_OK") ?? 1,
    shardToken: text(fields.shardToken ?? "", "HELLO_OK"),
    bindings: readBindings(fields.bindings),
    limits: readLimits(fields.limits),
  }),
  HELLO_ERR: ({ code, message }) => ({
    t: "HELLO_ERR",
    code: text(code, "HELLO_ERR") as HelloErr["code"],
    message: optionalText(message, 1024),
  }),
  BIND: ({ req, kind, mode, containerPort, host, name, path, takeover }) => ({
    t: "BIND",
    req: count(req, "BIND"),
    kind,
    mode,
    containerPort,
    host,
    name,
    path,
    takeover: takeover === true,
  }),
  BIND_OK: ({ req, bindId, containerPort, publicUrl }) => ({
    t: "BIND_OK",
    req: count(req, "BIND_OK"),
    bindId: count(bindId, "BIND_OK"),
    containerPort: count(containerPort, "BIND_OK"),
    publicUrl: optionalText(publicUrl, 2048) ?? null,
  }),
  BIND_ERR: ({ req, code, message, retryable }) => ({
    t: "BIND_ERR",
    req: count(req, "BIND_ERR"),
    code: text(code, "BIND_ERR") as BindErrorCode,
    message: optionalText(message, 1024) ?? "",
    retryable: retryable === true,
  }),
  BIND_REVOKED: ({ bindId, code }) => ({
    t: "BIND_REVOKED",
    bindId: count(bindId, "BIND_REVOKED"),
    code: text(code, "BIND_REVOKED") as BindRevoked["code"],
  }),
  UNBIND: ({ req, bindId }) => ({ t: "UNBIND", req: count(req, "UNBIND"), bindId: count(bindId, "UNBIND") }),
  UNBIND_OK: ({ req }) => ({ t: "UNBIND_OK", req: count(req, "UNBIND_OK") }),
  GOAWAY: ({ code, lastStreamId, drainMs, reconnect, message }) => ({
    t: "GOAWAY",
    code: text(code, "GOAWAY") as GoAwayCode,
    lastStreamId: optionalCount(lastStreamId, "GOAWAY") ?? 0,
    drainMs: optionalCount(drainMs, "GOAWAY") ?? 0,
    reconnect: reconnect !== false,
    message: optionalText(message, 1024) ?? "",
  }),
};

function count(value: unknown, message: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(message);
  return value as number;
}

/** Drivers in other languages write `null` for what they leave out. */
const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

const optionalCount = (value: unknown, message: string): number | undefined =>
  isAbsent(value) ? undefined : count(value, message);

function text(value: unknown, message: string): string {
  if (typeof value !== "string" || value.length > 1024) throw malformed(message);
  return value;
}

/** Free text is cut, since nothing depends on its end. */
const optionalText = (value: unknown, maxLength: number): string | undefined =>
  typeof value === "string" ? value.slice(0, maxLength) : undefined;

const textList = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value)
    ? value.slice(0, 64).filter((entry): entry is string => typeof entry === "string" && entry.length <= 64)
    : undefined;

function readResume(value: unknown): Hello["resume"] {
  if (isAbsent(value)) return undefined;
  const { sessionId, token } = asRecord(value, "HELLO");
  return { sessionId: text(sessionId, "HELLO"), token: isAbsent(token) ? undefined : text(token, "HELLO") };
}

function readShard(value: unknown): Hello["shard"] {
  if (isAbsent(value)) return undefined;
  const { sessionId, token, index } = asRecord(value, "HELLO");
  return { sessionId: text(sessionId, "HELLO"), token: text(token, "HELLO"), index: count(index, "HELLO") };
}

function readBindings(value: unknown): readonly BindingDescription[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, 4096).map((entry: unknown) => {
    const { kind, mode, containerPort, bindId, name } = asRecord(entry, "HELLO_OK");
    return {
      kind: kind === "tcp" ? "tcp" : "http",
      mode: mode === "pull" ? "pull" : "expose",
      containerPort: count(containerPort, "HELLO_OK"),
      bindId: count(bindId, "HELLO_OK"),
      name: optionalText(name, 64),
    };
  });
}

function readLimits(value: unknown): HelloOk["limits"] {
  const { maxBindings, sessionBufferBytes } = isAbsent(value) ? {} : asRecord(value, "HELLO_OK");
  return {
    maxBindings: optionalCount(maxBindings, "HELLO_OK") ?? 0,
    sessionBufferBytes: optionalCount(sessionBufferBytes, "HELLO_OK") ?? 0,
  };
}
