import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Begins the names of all cookies of gates. */
const cookiePrefix = "runner-gate-";

/** Cookies that say that a visitor has given a password; they hold for one host and one gate. */
export interface GateCookies {
  /** @returns the value of a `Set-Cookie` header */
  issue(facts: { readonly host: string; readonly path: string; readonly isSecure: boolean }): string;
  isPresentedIn(req: IncomingMessage, host: string): boolean;
}

/**
 * Signs cookies (HMAC-SHA-256).
 *
 * @param key of the relay @param now epoch milliseconds, since cookies outlive processes' clocks of their own
 */
export function createGateCookies(key: Buffer, ttlMs: number, now: () => number = Date.now): GateCookies {
  const gateId = randomBytes(6).toString("hex");
  const name = cookiePrefix + gateId;
  const sign = (host: string, expiresAt: number): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([gateId, host, expiresAt]))
      .digest();

  function isValid(value: string, host: string): boolean {
    const [, expiry = "", signature = ""] = /^(\d{1,15})\.([A-Za-z0-9_-]{43})$/.exec(value) ?? [];
    const expiresAt = Number(expiry);
    const isSigned = signature !== "" && timingSafeEqual(Buffer.from(signature, "base64url"), sign(host, expiresAt));
    return isSigned && expiresAt > now();
  }

  return {
    issue({ host, path, isSecure }) {
      const expiresAt = now() + ttlMs;
      const value = `${expiresAt}.${sign(host, expiresAt).toString("base64url")}`;
      const maxAge = Math.floor(ttlMs / 1000);
      return `${name}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
    },
    isPresentedIn: ({ headers: { cookie } }, host) =>
      cookie?.includes(name) === true &&
      cookie.split(";").some((pair) => {
        const [key = "", value = ""] = pair.trim().split("=", 2);
        return key === name && isValid(value, host);
      }),
  };
}

/** A `Cookie` header without those of gates; `undefined` where nothing is left. */
export function withoutGateCookies(cookie: string): string | undefined {
  if (!cookie.includes(cookiePrefix)) return cookie;
  const kept = cookie.split(";").filter((pair) => !pair.trim().startsWith(cookiePrefix));
  return kept.length === 0 ? undefined : kept.join(";").trim();
}
