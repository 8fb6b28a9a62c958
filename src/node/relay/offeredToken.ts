import type { IncomingHttpHeaders } from "node:http";

/** Begins a subprotocol that carries a token. */
const prefix = "runner-token.";

/**
 * Headers as authentication sees them: a page cannot set headers of its WebSocket, so that it offers its token among the
 * subprotocols, as `runner-token.<base64url>`.
 *
 * The offer is taken out of its header, which may be logged. A token header that is there counts, and of several
 * offers none does.
 *
 * @param tokenHeader in lower case
 */
export function withOfferedToken(headers: IncomingHttpHeaders, tokenHeader: string): IncomingHttpHeaders {
  const offered = headers["sec-websocket-protocol"]?.split(",").map((protocol) => protocol.trim());
  const tokens = offered?.filter((protocol) => protocol.startsWith(prefix)) ?? [];
  if (offered === undefined || tokens.length === 0) return headers;
  const others = offered.filter((protocol) => !protocol.startsWith(prefix));
  const token = tokens.length === 1 ? Buffer.from((tokens[0] as string).slice(prefix.length), "base64url") : undefined;
  return {
    ...headers,
    "sec-websocket-protocol": others.join(", "),
    ...(token !== undefined && headers[tokenHeader] === undefined && { [tokenHeader]: token.toString() }),
  };
}
