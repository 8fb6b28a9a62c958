import { fetchExposure, run } from "@bluelibs/runner";
import { shop } from "../shop";

const app = await run(shop.with({ token: "dev-secret" }));
const edge = app.getResourceValue(fetchExposure);

Deno.serve(
  {
    hostname: "127.0.0.1",
    port: Number(Deno.env.get("PORT") ?? 7070),
    onListen: ({ port }) => console.log(`ready http://127.0.0.1:${port}`),
  },
  (request, { remoteAddr }) => edge.fetch(request, { remoteAddress: remoteAddr.hostname }),
);
