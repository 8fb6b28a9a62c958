import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Replies 500 where a request or response was made by hand, as adapters of serverless platforms do, and lacks what an
 * exposure needs of Node's: streaming, and seeing that the caller has left.
 *
 * @returns what is missing, or `undefined` for those of Node
 */
export function refuseHandMade(req: IncomingMessage, res: ServerResponse): string | undefined {
  const missing = [
    ...missingOf("req", req, ["on", "pipe"]),
    ...missingOf("res", res, ["on", "once", "write", "writeHead"]),
  ];
  if (missing.length === 0) return undefined;
  res.statusCode = 500;
  res.setHeader?.("content-type", "application/json; charset=utf-8");
  res.end?.('{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}');
  return missing.join(", ");
}

const missingOf = (name: string, value: object, members: readonly string[]): string[] =>
  members
    .filter((member) => typeof (value as Record<string, unknown>)[member] !== "function")
    .map((member) => `${name}.${member}`);
