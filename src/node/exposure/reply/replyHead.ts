import type { IncomingMessage, ServerResponse } from "node:http";
import type { Cors } from "../../../tunnels/http/cors";
import { requestIdHeader } from "../../../tunnels/protocol/headers";
import { mergeVary, securityHeaders } from "../../../tunnels/http/replyHeaders";
import type { WireHeaders } from "../../../tunnels/protocol/wire";

/** What the headers of the replies of one exposure depend on. */
export interface HeadPolicy {
  readonly cors: Cors;
  /** The request headers that replies differ by, as `Vary` lists them; `""` for none. */
  readonly vary: string;
  /** Whether a reply is the last one of its connection. */
  readonly endsConnection: (req: IncomingMessage, res: ServerResponse) => boolean;
}

/** The reply that a head belongs to. */
export interface HeadOwner {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly policy: HeadPolicy;
}

/**
 * The headers of a reply, flat, as `writeHead` takes them.
 *
 * @param length of the body, in bytes; `undefined` where it is not known yet
 */
export function headOf(
  reply: HeadOwner,
  contentType: string,
  length: string | undefined,
  own: WireHeaders | undefined,
): string[] {
  const head =
    length === undefined ? ["content-type", contentType] : ["content-type", contentType, "content-length", length];
  if (own !== undefined) addOwn(head, own);
  addCommon(head, reply, own?.["vary"]);
  return head;
}

/** Adds the headers of every reply, whatever it says. @param ownVary what the reply itself differs by */
export function addCommon(
  head: string[],
  { req, res, requestId, policy: { cors, vary, endsConnection } }: HeadOwner,
  ownVary?: string | string[],
): void {
  // One by one: spreading them takes twice as long.
  for (const part of cors.headersFor(req.headers.origin)) head.push(part);
  for (const part of securityHeaders) head.push(part);
  if (requestId !== "") head.push(requestIdHeader, requestId);
  if (ownVary !== undefined) head.push("vary", withExistingVary(res, mergeVary(vary, ownVary)));
  else if (vary !== "") head.push("vary", withExistingVary(res, vary));
  if (endsConnection(req, res)) head.push("connection", "close");
}

/** Adds the headers of one reply, without those that are `undefined` and without `vary`, which `addCommon` merges. */
function addOwn(head: string[], headers: WireHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === "vary" || value === undefined) continue;
    for (const each of [value].flat()) head.push(name, each);
  }
}

/** With what something in front of us has set. */
function withExistingVary(res: ServerResponse, own: string): string {
  const existing = res.getHeader("vary");
  return existing === undefined ? own : mergeVary(existing, own);
}
