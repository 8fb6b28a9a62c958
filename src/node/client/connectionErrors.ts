import type { TransportLayer } from "../../tunnels/client/carrier";
import { explainTls } from "../explainTls";

/** Rejects with the errors of node:http where undici has errors of its own for what happens to a connection. */
export const nodeErrors: TransportLayer = (next) => (request) => next(request).catch(rethrowAsNodes);

function rethrowAsNodes(error: unknown): never {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown };
  if (code === "UND_ERR_SOCKET") throw withCode("ECONNRESET", "socket hang up", error);
  if (code === "UND_ERR_CONNECT_TIMEOUT") throw withCode("ETIMEDOUT", `connect ETIMEDOUT: ${String(message)}`, error);
  if (code === "UND_ERR_HEADERS_OVERFLOW") throw withCode("HPE_HEADER_OVERFLOW", "Parse Error: Header overflow", error);
  // undici loses the code of the parser; nearly always it is that the first line is none of HTTP.
  if (name === "HTTPParserError" && code === undefined) {
    throw withCode("HPE_INVALID_CONSTANT", `Parse Error: ${String(message)}`, error);
  }
  throw error;
}

/** What reading a reply fails with when its connection breaks, as streams of node:http say it. */
export const replyAborted = (cause: unknown): Error => withCode("ECONNRESET", "aborted", cause);

/** A copy of an error that undici gives to every call of a connection, or to all that wait for one. */
export function ownError(error: Error): Error {
  const own = new Error(error.message);
  Object.setPrototypeOf(own, Object.getPrototypeOf(error) as object);
  return explainTls(Object.defineProperties(own, Object.getOwnPropertyDescriptors(error)));
}

const withCode = (code: string, message: string, cause: unknown): Error =>
  Object.assign(new Error(message, { cause }), { code });
