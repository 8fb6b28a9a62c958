import type { IErrorHelper } from "../../errors/defineError";
import { isError } from "../../errors/normaliseThrown";
import { TunnelError } from "../../errors/tunnelError";
import type { SerializerLike } from "../../serializer/codec";
import { isBeyondPlain } from "../../serializer/plainFormat";
import { requestIdHeader } from "../protocol/headers";
import { isRedirect, redirected } from "../protocol/redirect";
import { isJson, isSuccess } from "../protocol/replyKind";
import { keepMessage } from "../protocol/callFailure";
import type { WireResponse } from "../protocol/wire";

/** What reading a reply needs to know of the client. */
export interface ReplyReading {
  readonly serializer: SerializerLike;
  /** Error helpers by id; what they threw on the server is thrown again as theirs. */
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  /** Rewrites the details of an `HTTP_ERROR`. */
  readonly describeHttpError?: ((details: HttpErrorDetails) => object) | undefined;
}

/** The details of an `HTTP_ERROR`. */
export interface HttpErrorDetails {
  readonly statusCode: number;
  readonly statusText: string | undefined;
  readonly contentType: string | undefined;
  /** The first 512 UTF-16 units of the body; absent when it is empty. */
  readonly bodyPreview?: string;
}

/** A reply that came as text, not checked beyond being an object. */
export interface LooseEnvelope {
  readonly ok?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/**
 * Reads the envelope of a reply that says the call succeeded.
 *
 * The status of a reply decides nothing as long as there is an envelope: peers differ in the statuses they use. Only JSON is
 * one, and a redirect is none.
 *
 * @param fallback message where the reply brings none
 * @throws {TunnelError} the call failed, or the reply is no envelope; for failures of a known helper, that helper's error
 */
export function readEnvelope(
  { status, statusText, contentType, headers }: WireResponse,
  text: string,
  fallback: string,
  reading: ReplyReading,
): LooseEnvelope {
  const isOk = isSuccess(status);
  const requestId = headers?.[requestIdHeader]?.toString();
  const httpError = (more = ""): TunnelError => {
    const bodyPreview = text.slice(0, previewLength);
    const details = { statusCode: status, statusText, contentType, ...(bodyPreview !== "" && { bodyPreview }) };
    const message = `Tunnel HTTP ${status}${statusText ? ` ${statusText}` : ""}${more}`;
    return new TunnelError("HTTP_ERROR", message, reading.describeHttpError?.(details) ?? details, {
      httpCode: status,
      requestId,
    });
  };

  if (isRedirect(status)) throw httpError(`\n${redirected(status, headers?.["location"]?.toString())}`);
  // Bytes of any other type may have any author, whatever they look like.
  if (contentType !== undefined && !isJson(contentType)) {
    if (!isOk) throw httpError();
    throw new TunnelError("INVALID_RESPONSE", fallback, { statusCode: status, contentType }, { requestId });
  }
  if (text === "" && !isOk) throw httpError();
  let envelope: unknown;
  try {
    envelope = text === "" ? undefined : reading.serializer.parse(text);
  } catch (error) {
    throw isOk || isBeyondPlain(error) ? error : httpError();
  }
  if (typeof envelope !== "object" || envelope === null) {
    throw new TunnelError("INVALID_RESPONSE", fallback, undefined, { requestId });
  }
  const { ok, error } = envelope as LooseEnvelope;
  if (ok) return envelope;
  throw failureOf(error, { fallback, requestId }, reading.errors);
}

/** The error that a failure of the server is thrown as: that of a known helper, or a `TunnelError`. */
export function failureOf(
  error: unknown,
  about: { readonly fallback: string; readonly requestId: string | undefined },
  errors: ReplyReading["errors"],
): Error {
  const failure = toTunnelError(error, about);
  return revive(failure, errors) ?? failure;
}

const previewLength = 512;

/** The error that a helper of this side makes of the failure, if it is one of its own. */
function revive({ id, data }: TunnelError, errors: ReplyReading["errors"]): Error | undefined {
  const helper = id === undefined ? undefined : errors.get(id);
  const facts = data === undefined ? {} : data;
  try {
    const made = helper?.create?.(facts) ?? helper?.throw(facts);
    return made && keepMessage(made);
  } catch (error) {
    // A helper made by hand may have `throw` alone. With others, two versions of an application may disagree about the
    // data; what happened in the other process is what matters then.
    if (typeof helper?.create === "function") return undefined;
    return isError(error) ? keepMessage(error) : (error as Error);
  }
}

function toTunnelError(error: unknown, { fallback, requestId }: { fallback: string; requestId: string | undefined }) {
  const vague = (message: string) => new TunnelError("UNKNOWN", message, undefined, { requestId });
  if (typeof error === "string") return vague(error);
  if (isError(error)) return vague(error.message);
  if (typeof error !== "object" || error === null) return vague(fallback);
  const { code, message, details, id, data, httpCode } = error as Record<string, unknown>;
  if (typeof message !== "string") return vague(fallback);
  if (typeof code !== "string") return vague(message);
  return new TunnelError(code, message || fallback, details, {
    id: typeof id === "string" ? id : undefined,
    data,
    httpCode: typeof httpCode === "number" ? httpCode : undefined,
    requestId,
  });
}
