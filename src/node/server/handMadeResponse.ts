import { IncomingMessage, ServerResponse } from "node:http";

/**
 * What a request and a response that were made by hand, as adapters of serverless platforms do, lack of what serving
 * needs of Node's: streaming, and seeing that the caller has left.
 *
 * @returns the missing members, such as `"res.on, res.destroy"`; `""` for none
 */
export function missingOfHandMade(req: IncomingMessage, res: ServerResponse): string {
  const missing = [
    ...(req instanceof IncomingMessage ? [] : missingOf("req", req, requestMembers)),
    ...(typeof (req as IncomingMessage | null)?.headers === "object" ? [] : ["req.headers"]),
    ...(res instanceof ServerResponse ? [] : missingOf("res", res, responseMembers)),
  ];
  return missing.join(", ");
}

const requestMembers = ["on", "off", "pipe", "unpipe", "pause", "resume", "destroy"];
const responseMembers = [
  "on",
  "once",
  "off",
  "emit",
  "write",
  "end",
  "writeHead",
  "setHeader",
  "getHeader",
  "hasHeader",
  "flushHeaders",
  "destroy",
];

const missingOf = (name: string, value: object | null, members: readonly string[]): string[] =>
  members
    .filter((member) => typeof (value as Record<string, unknown> | null)?.[member] !== "function")
    .map((member) => `${name}.${member}`);

/** Replies 500 with the members that every response has; what it throws in turn is dropped. */
export function refuseHandMade(res: ServerResponse): void {
  try {
    res.statusCode = 500;
    res.setHeader?.("content-type", "application/json; charset=utf-8");
    res.end?.('{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}');
  } catch {
    cutReply(res);
  }
}

/** Gives a response up; one that was made by hand may throw even then. */
export function cutReply(res: ServerResponse): void {
  try {
    res.destroy();
  } catch {
    // There is nothing left to try.
  }
}
