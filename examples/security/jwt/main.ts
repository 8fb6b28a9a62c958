/** Calls with good and bad tokens, with and without the identity provider. */
import { generateKeyPair } from "jose";
import { startProvider } from "./provider";
import { startServer } from "./server";

await using provider = await startProvider();
await using server = await startServer(provider.issuer);

/** Calls the task with a token, and says what came of it. */
async function call(baseUrl: string, token?: string): Promise<string> {
  const response = await fetch(`${baseUrl}/task/shop.tasks.orders`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: "{}",
  });
  const { result, error } = (await response.json()) as { result?: string; error?: { code: string } };
  const again = response.headers.get("retry-after");
  return result ?? `${error?.code}${again === null ? "" : `, again in ${again} s`}`;
}

const ada = await provider.sign({ subject: "ada" });
const { privateKey: foreign } = await generateKeyPair("ES256");
const [, claims = ""] = ada.split(".");
const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;

const { baseUrl } = server;
console.log("a token of ada:", await call(baseUrl, ada));
console.log("no token:", await call(baseUrl));
console.log("a token that has expired:", await call(baseUrl, await provider.sign({ subject: "ada", expires: "-1s" })));
console.log("a token of someone else's key:", await call(baseUrl, await provider.sign({ subject: "ada" }, foreign)));
console.log(
  "a token for another service:",
  await call(baseUrl, await provider.sign({ subject: "ada", audience: "bank" })),
);
console.log("a token without signature:", await call(baseUrl, unsigned));

provider.setDown(true);
await using started = await startServer(provider.issuer);
console.log("the keys cannot be fetched, but are known:", await call(baseUrl, ada));
console.log("the keys cannot be fetched:", await call(started.baseUrl, ada));

provider.setDown(false);
console.log("the keys can be fetched again:", await call(started.baseUrl, ada));
