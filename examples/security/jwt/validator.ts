/** Tokens of an identity provider, checked by the public keys that it publishes. */
import { globals, r } from "@bluelibs/runner";
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from "jose";

export interface User {
  readonly id: string;
  readonly role: string;
}

/** Tasks find the user here. No caller can set it. */
export const currentUser = r.asyncContext<User>("shop.contexts.currentUser").build();

export interface ProviderConfig {
  /** Base address of the identity provider, which is the issuer of its tokens. */
  readonly issuer: string;
}

/** The provider's keys: fetched when they are needed, and again for a key that is not known yet. */
export const providerKeys = r
  .resource<ProviderConfig>("shop.auth.providerKeys")
  .init(async ({ issuer }) => ({
    issuer,
    keyOf: createRemoteJWKSet(new URL("/.well-known/jwks.json", issuer), {
      timeoutDuration: 2_000,
    }) as JWTVerifyGetKey,
  }))
  .build();

export const jwtValidator = r
  .task("shop.auth.jwt")
  .tags([globals.tags.authValidator])
  .dependencies({ providerKeys })
  .run(async ({ headers }, { providerKeys: { issuer, keyOf } }) => {
    // A list, where the header arrived more than once.
    const [, token] = /^Bearer (\S+)$/.exec(String(headers["authorization"])) ?? [];
    if (token === undefined) return { ok: false };
    try {
      const { payload } = await jwtVerify(token, keyOf, { issuer, audience: "shop", algorithms: ["ES256"] });
      const { sub, role } = payload;
      if (typeof sub !== "string" || typeof role !== "string") return { ok: false, message: "a claim is missing" };
      return { ok: true, name: sub, principal: { id: sub, role } satisfies User };
    } catch (error) {
      if (isRefusal(error)) return { ok: false, message: error.message };
      // The keys could not be fetched: nothing is known of the token, and callers get 503.
      throw error;
    }
  })
  .build();

/** What is wrong with the token itself. */
const isRefusal = (error: unknown): error is Error => error instanceof errors.JOSEError && refusals.has(error.code);

const refusals: ReadonlySet<string> = new Set([
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
]);
