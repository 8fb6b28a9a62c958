import { networkOf } from "../../../tunnels/http/callerAddress";
import { createRateLimiter } from "../rateLimiter";
import { visitorErrors, type VisitorError } from "../visitorError";
import { createGateCookies } from "./gateCookie";
import { pass, type Gate, type GateCall, type GateVerdict } from "./judge";
import { gateParameter, loginPageHeaders, renderLoginPage } from "./loginPage";
import { hashPassword, isPassword, isPasswordHash, maxPasswordLength, readPasswordHash } from "./passwordHash";
import { parametersOf, withoutParameters } from "./target";

/** Configures `globals.tunnelGates.password`. */
export interface PasswordGateConfig {
  /** The password, or what `hashTunnelPassword` made of it. */
  readonly password: string;
  /** How long a visitor stays logged in, in ms. Default 12 hours. */
  readonly cookieTtlMs?: number | undefined;
  /** Title of the page that asks for the password. Default "Password required". */
  readonly realm?: string | undefined;
}

/** Attempts of one address, or of one network of IPv6, within a minute, and of all visitors at a time: each costs some 50 ms and 16 MiB. */
const attemptsPerMinute = 10;
const attemptsAtOnce = 8;

/**
 * Asks for a password on a page, and remembers in a cookie that it was given.
 *
 * @param key of the relay, for cookies
 * @throws {TypeError} the config cannot be meant
 */
export function createPasswordGate(option: string, config: PasswordGateConfig, key: Buffer): Gate {
  const { password, cookieTtlMs = 43_200_000, realm = "Password required" } = checkConfig(option, config);
  const known = isPasswordHash(password) ? readPasswordHash(password) : hashPassword(password);
  const cookies = createGateCookies(key, cookieTtlMs);
  const attempts = createRateLimiter({ limit: attemptsPerMinute, windowMs: 60_000, maxKeys: 10_000 });
  let underWay = 0;

  const refusal = ({ visitor: { target } }: GateCall, problem?: string): VisitorError => {
    const [, query = ""] = withoutParameters(target, [gateParameter]).split(/\?(.*)/s);
    const action = `?${query === "" ? "" : `${query}&`}${gateParameter}=password`;
    return {
      ...visitorErrors.gateAuth,
      headers: { ...loginPageHeaders, "www-authenticate": `Form realm="${realm.replace(/["\\]/g, "\\$&")}"` },
      html: renderLoginPage({ title: realm, query: action, problem }),
    };
  };
  const tooMany = (waitMs: number): GateVerdict => ({
    kind: "deny",
    failure: { ...visitorErrors.rateLimited, retryAfterSeconds: Math.ceil(waitMs / 1000) },
  });

  async function logIn(call: GateCall): Promise<GateVerdict> {
    const { visitor, prefix } = call;
    const waitMs = attempts.take(networkOf(visitor.peer), performance.now());
    if (waitMs > 0) return tooMany(waitMs);
    const presented = (await call.readForm())?.get("password") ?? "";
    // Only hashing costs: a form that arrives slowly must not keep others from logging in.
    if (underWay >= attemptsAtOnce) return tooMany(1_000);
    underWay += 1;
    try {
      const isRight =
        presented.length <= maxPasswordLength &&
        (await isPassword(presented, (await known) as Awaited<typeof known> & object));
      if (!isRight) return { kind: "deny", failure: refusal(call, "That is not the password.") };
    } finally {
      underWay -= 1;
    }
    const path = prefix === "" ? "/" : `${prefix}/`;
    const cookie = cookies.issue({ host: visitor.host, path, isSecure: visitor.isSecure });
    return {
      kind: "answer",
      answer: {
        status: 303,
        headers: [
          ["Location", placeAfter(prefix, visitor.target)],
          ["Set-Cookie", cookie],
          ["Cache-Control", "no-store"],
        ],
        body: "",
      },
    };
  }

  return {
    name: "password",
    secretParameters: [gateParameter],
    secretHeaders: [],
    judge(call) {
      const { visitor, req } = call;
      const isLogin =
        visitor.method === "POST" &&
        !visitor.isUpgrade &&
        parametersOf(visitor.target, gateParameter)[0] === "password";
      if (isLogin) return logIn(call);
      return cookies.isPresentedIn(req, visitor.host) ? pass : { kind: "deny", failure: refusal(call) };
    },
  };
}

/** Where the visitor wanted to go, on this host: what begins with two slashes would be another one. */
const placeAfter = (prefix: string, target: string): string =>
  (prefix + withoutParameters(target, [gateParameter])).replace(/^[/\\]+/, "/");

function checkConfig(option: string, config: PasswordGateConfig): PasswordGateConfig {
  const { password, cookieTtlMs, realm } = (config ?? {}) as Partial<PasswordGateConfig>;
  if (typeof password !== "string" || password === "" || password.length > maxPasswordLength) {
    throw new TypeError(`${option}: password must be a text of 1 to ${maxPasswordLength} characters.`);
  }
  if (isPasswordHash(password) && readPasswordHash(password) === undefined) {
    throw new TypeError(
      `${option}: password begins as a hash and is none that can be used. Make it with hashTunnelPassword(password).`,
    );
  }
  if (cookieTtlMs !== undefined && !(Number.isSafeInteger(cookieTtlMs) && cookieTtlMs >= 1_000)) {
    throw new TypeError(`${option}: cookieTtlMs must be a whole number of at least 1000, got ${String(cookieTtlMs)}.`);
  }
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (realm !== undefined && (typeof realm !== "string" || !/^[^\u0000-\u001f\u007f-\uffff]{1,200}$/.test(realm))) {
    throw new TypeError(`${option}: realm must be a text of 1 to 200 ASCII characters.`);
  }
  return config;
}
