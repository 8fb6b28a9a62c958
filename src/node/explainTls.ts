/**
 * Has an error of OpenSSL say what happened: its own text has the address of a thread and a line of OpenSSL's source in it.
 *
 * @returns the error itself
 */
export function explainTls<E extends Error>(error: E): E {
  const { code, reason } = error as { readonly code?: unknown; readonly reason?: unknown };
  if (typeof code !== "string" || typeof reason !== "string" || !code.startsWith("ERR_SSL_")) return error;
  const isPlain = /WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST/.test(code);
  error.message = isPlain ? `${reason}: the server does not speak TLS, its address begins with http://` : reason;
  return error;
}
