import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TaskCell } from "../../runtime/link/taskCell";
import { createAuthenticate, type Authenticate, type Caller } from "../../tunnels/server/authenticate";
import type { ResolvedAuth } from "./config/config";
import type { Cors } from "./cors";

/** Authentication of an exposure: tokens, validator tasks, or neither. */
export function createNodeAuthenticate(auth: ResolvedAuth, validators: readonly TaskCell[]): Authenticate {
  return createAuthenticate({
    header: auth.header,
    findTokenHolder: auth.tokens && createTokenMatcher(auth.tokens),
    validators,
    admitsAnonymous: ({ edge }) => auth.allowAnonymous ?? edge?.isLocal() === true,
  });
}

/** Whether callers have to authenticate. */
export const isAuthenticated = ({ tokens }: ResolvedAuth, validators: readonly unknown[]): boolean =>
  tokens !== undefined || validators.length > 0;

/**
 * Compares a value with every token in constant time, and says whose it is.
 *
 * Tokens are padded to one length beforehand and all of them are compared, so neither a token's length nor the place of
 * the first difference shows. Hashing both sides would hide as much at many times the cost.
 */
export function createTokenMatcher(configured: readonly string[]): (presented: string) => Caller | undefined {
  // Each once: two places that match would add up to a third.
  const tokens = [...new Set(configured)];
  const holders = tokens.map((token): Caller => ({ name: `token:${digestOf(token)}` }));
  const lengths = tokens.map((token) => Buffer.byteLength(token));
  const size = Math.max(0, ...lengths);
  const padded = tokens.map((token) => pad(token, Buffer.alloc(size)));
  const scratch = Buffer.alloc(size);
  return (presented) => {
    const length = Buffer.byteLength(presented);
    pad(presented, scratch.fill(0));
    // One more than the place of the token that matches.
    let matching = 0;
    for (let index = 0; index < padded.length; index++) {
      const sameBytes = Number(timingSafeEqual(scratch, padded[index] as Buffer));
      matching |= (sameBytes & Number(length === lengths[index])) * (index + 1);
    }
    return length > 0 ? holders[matching - 1] : undefined;
  };
}

/** Distinguishes tokens in logs without revealing them. */
const digestOf = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 16);

function pad(text: string, buffer: Buffer): Buffer {
  buffer.write(text);
  return buffer;
}

/**
 * Whether a request comes from a program of this machine, rather than from a web page in its browser, through a proxy
 * on it, or through a tunnel to it. All of these reach us over loopback.
 */
export function isOwnProgram({ socket, headers }: IncomingMessage, cors: Cors): boolean {
  if (!isLoopback(socket?.localAddress) || !isLoopback(socket.remoteAddress)) return false;
  if (!isLocalHost(headers.host)) return false;
  if (headers.origin !== undefined && !cors.admits(headers.origin)) return false;
  return !Object.keys(headers).some((name) => forwarding.has(name) || name.startsWith("x-forwarded-"));
}

const forwarding: ReadonlySet<string> = /* @__PURE__ */ new Set(["forwarded", "via", "x-real-ip"]);

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address === "::1" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address));

/** A page of another site can have its own name point here, but not one of these. */
function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
