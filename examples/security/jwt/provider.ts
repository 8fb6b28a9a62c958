/** Stands in for an identity provider: signs tokens, and serves the public keys to check them by. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export interface TokenClaims {
  readonly subject: string;
  readonly audience?: string;
  /** As `jose` takes it. Default "5m". */
  readonly expires?: string;
}

export async function startProvider() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "key-1", alg: "ES256" }] });
  let isDown = false;
  const server = createServer((_req, res) => {
    if (isDown) res.writeHead(500).end();
    else res.setHeader("content-type", "application/json").end(jwks);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    /** From now on the keys cannot be fetched, or can. */
    setDown: (down: boolean) => void (isDown = down),
    sign: ({ subject, audience = "shop", expires = "5m" }: TokenClaims, key = privateKey) =>
      new SignJWT({ role: "customer" })
        .setProtectedHeader({ alg: "ES256", kid: "key-1" })
        .setSubject(subject)
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime(expires)
        .sign(key),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
