import { createPublicKey, createSecretKey, KeyObject, type JsonWebKeyInput, type webcrypto } from "node:crypto";
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import { isRepeated } from "../../server/repeatedHeaders";
import { visitorErrors } from "../visitorError";
import { pass, type Gate, type GateVerdict } from "./judge";
import { withoutScheme } from "./token";

/**
 * A key as JSON (RFC 7517). `node:crypto` has a type of this name in some versions of its types only, and that of
 * `webcrypto` lacks members such as `kid` in others.
 */
type JsonWebKey = Readonly<Record<string, unknown>> | webcrypto.JsonWebKey;

/** Configures `globals.tunnelGates.jwt`, which needs the package `jose`. */
export interface JwtGateConfig {
  /** A public key (PEM, JWK or `KeyObject`), or the secret of the HS algorithms. */
  readonly key?: string | Uint8Array | KeyObject | JsonWebKey | undefined;
  /** A set of public keys, in the place of `key`. */
  readonly jwks?: { readonly keys: readonly JsonWebKey[] } | undefined;
  /** Those that are accepted, as `["RS256"]`; all of them asymmetric, or all of them HS. */
  readonly algorithms: readonly string[];
  /** Who a token is for: one of these, or what the function makes of the host. Default: anyone. */
  readonly audience?: string | readonly string[] | ((host: string) => string | readonly string[]) | undefined;
  /** Who made a token. Default: anyone with the key. */
  readonly issuer?: string | readonly string[] | undefined;
}

/** As much of the package as the gate needs. */
type Jose = Pick<typeof import("jose"), "jwtVerify" | "createLocalJWKSet">;

/** The algorithms of RFC 7518 and RFC 8037; "none" is none of them. */
const symmetric: readonly string[] = ["HS256", "HS384", "HS512"];
const asymmetric: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/**
 * Asks for a JSON Web Token (RFC 7519) as `Authorization: Bearer`. The application receives it as well.
 *
 * @param loadJose for tests of what happens without the package
 * @throws {TypeError} the config cannot be meant
 * @throws {Error} the package is not installed
 */
export async function createJwtGate(
  option: string,
  config: JwtGateConfig,
  loadJose: () => Promise<Jose> = importJose,
): Promise<Gate> {
  const { key, jwks, algorithms, audience, issuer } = checkConfig(option, config);
  const isSymmetric = symmetric.includes(algorithms[0] as string);
  const ownKey = key === undefined ? undefined : readKey(option, key, isSymmetric);
  const { jwtVerify, createLocalJWKSet } = await load(option, loadJose);
  const known: KeyObject | JWTVerifyGetKey = ownKey ?? createLocalJWKSet(jwks as unknown as JSONWebKeySet);
  const options = { algorithms: [...algorithms], ...(issuer !== undefined && { issuer: listOf(issuer) }) };
  const refusal = (detail: string): GateVerdict => ({
    kind: "deny",
    failure: { ...visitorErrors.gateAuth, headers: { "www-authenticate": `Bearer realm="tunnel"${detail}` } },
  });
  const missing = refusal("");
  const invalid = refusal(', error="invalid_token"');
  return {
    name: "jwt",
    secretParameters: [],
    secretHeaders: ["authorization"],
    async judge({ req, visitor: { host } }) {
      const { authorization } = req.headers;
      if (authorization === undefined || isRepeated(req, "authorization")) return missing;
      try {
        // A function that knows no audience of a host names none that would do.
        const expected = typeof audience === "function" ? (audience(host) ?? []) : audience;
        const claims = expected === undefined ? options : { ...options, audience: listOf(expected) };
        // One overload takes keys and the other functions, and each does the same.
        await jwtVerify(withoutScheme(authorization), known as KeyObject, claims);
        return pass;
      } catch {
        return invalid;
      }
    },
  };
}

const listOf = (given: string | readonly string[]): string[] => (typeof given === "string" ? [given] : [...given]);

/** In a `try`, because bundlers fail over a package that is not there, unless the code says that it expects this. */
async function importJose(): Promise<Jose> {
  try {
    return await import("jose");
  } catch (error) {
    throw new Error("The package jose could not be loaded.", { cause: error });
  }
}

async function load(option: string, loadJose: () => Promise<Jose>): Promise<Jose> {
  try {
    return await loadJose();
  } catch (error) {
    throw new Error(`${option} needs the package "jose", which is not installed: npm install jose`, { cause: error });
  }
}

function checkConfig(option: string, config: JwtGateConfig): JwtGateConfig {
  const { key, jwks, algorithms } = (config ?? {}) as Partial<JwtGateConfig>;
  if ((key === undefined) === (jwks === undefined)) throw new TypeError(`${option} needs either key or jwks.`);
  const list: readonly unknown[] = Array.isArray(algorithms) ? algorithms : [];
  const isOf = (known: readonly string[]): boolean => list.every((name) => known.includes(name as string));
  if (list.length === 0 || !(isOf(symmetric) || isOf(asymmetric))) {
    throw new TypeError(
      `${option}: algorithms must list those that are accepted, either of ${symmetric.join(", ")} or of ${asymmetric.join(", ")}.`,
    );
  }
  if (jwks !== undefined && isOf(symmetric)) {
    throw new TypeError(`${option}: jwks holds public keys; give the secret of ${list.join(", ")} as key.`);
  }
  if (jwks !== undefined && !Array.isArray((jwks as { keys?: unknown } | null)?.keys)) {
    throw new TypeError(`${option}: jwks must be a set of keys, { keys: [...] }.`);
  }
  return config;
}

/** A public key that is taken for a secret would let everyone sign who knows it; so keys are told apart here. */
function readKey(option: string, key: NonNullable<JwtGateConfig["key"]>, isSymmetric: boolean): KeyObject {
  const read = toKeyObject(option, key, isSymmetric);
  if ((read.type === "secret") !== isSymmetric) {
    throw new TypeError(
      `${option}: key is a ${read.type} key, and algorithms ask for a ${isSymmetric ? "secret (HS)" : "public"} one.`,
    );
  }
  return read;
}

function toKeyObject(option: string, key: NonNullable<JwtGateConfig["key"]>, isSymmetric: boolean): KeyObject {
  if (key instanceof KeyObject) return key.type === "private" ? createPublicKey(key) : key;
  try {
    const isPem = typeof key === "string" && key.includes("-----BEGIN");
    if (isPem) return createPublicKey(key);
    if (typeof key === "string" || key instanceof Uint8Array) {
      if (!isSymmetric) throw new TypeError("it is no PEM text");
      if (key.length === 0) throw new TypeError("it is empty");
      return createSecretKey(Buffer.from(key as Uint8Array));
    }
    const jwk = key as JsonWebKeyInput["key"];
    if (jwk.kty === "oct") return createSecretKey(Buffer.from(String(jwk.k), "base64url"));
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (error) {
    throw new TypeError(`${option}: key cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
