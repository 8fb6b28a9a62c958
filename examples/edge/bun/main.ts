import { fetchExposure, run } from "@bluelibs/runner";
import { shop } from "../shop";

const app = await run(shop.with({ token: "dev-secret" }));
const edge = app.getResourceValue(fetchExposure);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"] ?? 7070),
  fetch: (request, server) => edge.fetch(request, { remoteAddress: server.requestIP(request)?.address }),
});
console.log(`ready http://127.0.0.1:${server.port}`);
