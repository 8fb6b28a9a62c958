import type { ResolvedExposureConfig } from "./config/config";
import type { Cors } from "../../tunnels/http/cors";
import type { Drain } from "../../lib/drain";
import type { ParseCookies } from "./cookies";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { discardResult, readStreamResult } from "../../tunnels/server/streamResult";
import { OneSlot } from "../../platform/contextScope";
import { decodeRequest } from "../server/compression";
import { ExposureContext, exposureContextId } from "./exposureContext";
import type { CallPolicy, IncomingCall } from "./incomingCall";
import { assertUnended } from "./body/requestText";
import { isPrivateAddress, networkOf, plainAddress } from "../../tunnels/http/callerAddress";
import type { AddressSet } from "../server/addressSet";
import { visitorAddress } from "../server/visitorAddress";
import { isLocalCaller } from "../server/localCaller";

/** What calls are decided by. */
export interface CallPolicyParts {
  readonly config: ResolvedExposureConfig;
  readonly cors: Cors;
  readonly drain: Drain;
  readonly parseCookies: ParseCookies;
  /** A task both replied by itself and returned a value, which was dropped. */
  readonly onDropped: (call: IncomingCall) => void;
}

/** Tasks reach the request and the response through the exposure context. */
export function createCallPolicy({ config, cors, drain, parseCookies, onDropped }: CallPolicyParts): CallPolicy {
  const { basePath, compression, limits } = config;
  return {
    credentialHeaders: [...new Set([config.auth.header, "authorization"])],
    failureAddress: createFailureAddress(config.trustedProxies),
    isLocal: (req) => isLocalCaller(req, cors.admits),
    onShutdown: (abort) => drain.onAbort(abort),
    onClosing: (end) => drain.onStopAdmitting(end),
    parseCookies,
    enter(call, contexts) {
      if (call.body.kind === "stream") assertUnended(call.req);
      const isCoded = compression.requests && call.body.kind === "stream";
      const req = isCoded ? decodedView(call.req, limits.octetBytes) : call.req;
      const context = new ExposureContext(call, basePath, req);
      return contexts === undefined
        ? new OneSlot(exposureContextId, context)
        : new Map([...contexts, [exposureContextId, context]]);
    },
    isReplyTaken(call, result) {
      const { reply } = call;
      if (!reply.isTaken) return false;
      // What its methods return, for chaining, is no result.
      if (result === undefined || result === reply.res) return true;
      if (reply.isEnded) {
        discardResult(result);
        return true;
      }
      // Whatever it returns may be what it pipes.
      if (reply.isPipedInto) return true;
      const streamed = readStreamResult(result);
      if (streamed !== undefined) reply.append(streamed);
      else {
        // Nothing would ever end it: the task is done and its value cannot be sent any more.
        reply.end();
        onDropped(call);
      }
      return true;
    },
  };
}

/** Where no proxies are named, what comes from this machine or a private network may be one, with many callers behind it. */
function createFailureAddress(trustedProxies: AddressSet | undefined) {
  if (trustedProxies !== undefined) return (req: IncomingMessage) => addressOf(req, trustedProxies);
  return (req: IncomingMessage): string | undefined => {
    // Functions of a serverless platform have no socket.
    const address = plainAddress((req.socket as Socket | undefined)?.remoteAddress ?? "");
    return address === "" || isPrivateAddress(address) ? undefined : networkOf(address);
  };
}

const addressOf = (req: IncomingMessage, trustedProxies: AddressSet): string | undefined =>
  (req.socket as Socket | undefined) === undefined
    ? undefined
    : networkOf(visitorAddress(req, trustedProxies)) || undefined;

/** A request whose body reads as decoded. */
function decodedView(req: IncomingMessage, limitBytes: number): IncomingMessage {
  const decoded: Readable = decodeRequest(req, limitBytes);
  if (decoded === req) return req;
  const described = ["headers", "rawHeaders", "method", "url", "httpVersion", "socket", "connection"] as const;
  for (const key of described) Object.defineProperty(decoded, key, { get: () => req[key] as unknown });
  return decoded as IncomingMessage;
}
