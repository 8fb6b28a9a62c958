import { TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { startServer } from "./server";

await using server = await startServer();
const { origin } = server;

const response = await fetch(`${origin}/sum`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ a: 19, b: 23 }),
});
console.log("the route of Express:", await response.json());

await using client = createHttpMixedClient({ baseUrl: `${origin}/__runner`, auth: { token: "dev-secret" } });
console.log("the task through the tunnel:", await client.task("shop.tasks.add", { a: 19, b: 23 }));

const file = createNodeFile({ name: "large.bin" }, { buffer: Buffer.alloc(3_000_000) });
console.log("an upload, in bytes:", await client.task("shop.tasks.size", { file }));

await using stranger = createHttpMixedClient({ baseUrl: `${origin}/__runner` });
await stranger.task("shop.tasks.add", { a: 1, b: 1 }).catch((error: unknown) => {
  if (!(error instanceof TunnelError)) throw error;
  console.log("without the token:", error.code);
});

console.log("anything else is for Express:", (await fetch(`${origin}/elsewhere`)).status);
