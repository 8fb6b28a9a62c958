import type { IncomingMessage } from "node:http";
import { valuesOf } from "../server/repeatedHeaders";

/**
 * Whether it is beyond doubt where the body of a request ends.
 *
 * The parser refuses a `Content-Length` beside `Transfer-Encoding`, and repetitions; it reads other codings than
 * `chunked` to the end of the connection, and the application would not learn of them.
 */
export function hasClearFraming(req: Pick<IncomingMessage, "rawHeaders" | "headers">): boolean {
  if (req.headers["transfer-encoding"] === undefined) return true;
  const codings = valuesOf(req, "transfer-encoding");
  return codings.length === 1 && codings[0]?.trim().toLowerCase() === "chunked";
}

/** Whether an upgrade can be passed on: what follows the head belongs to the protocol that is asked for. */
export function isPlainUpgrade(req: Pick<IncomingMessage, "rawHeaders" | "headers">): boolean {
  const { upgrade = "", "content-length": length = "0" } = req.headers;
  // HTTP/2 in clear text would lead past everything that looks at requests here.
  const isHttp2 = upgrade.split(",").some((protocol) => /^h2c?\b/i.test(protocol.trim()));
  return (
    !isHttp2 && !("http2-settings" in req.headers) && length === "0" && valuesOf(req, "transfer-encoding").length === 0
  );
}
