// Started by Bun and by Deno: a server that answers at once, or `fetchExposure` with one task, by RUNNER_EDGE.
/* global Bun, Deno, Response */
import process from "node:process";

const answer = '{"ok":true,"result":3}';

async function exposed() {
  const { fetchExposure, r, run } = await import(new URL("late.js", process.env.RUNNER_DIST).href);
  const add = r
    .task("add")
    .run(async ({ a, b }) => a + b)
    .build();
  const server = r.tunnel.server("bench.server").tasks([add]).build();
  const exposure = fetchExposure.with({ http: { auth: { token: "t" } } });
  const root = r.resource("bench").register([add, server, exposure]).build();
  const app = await run(root, { logs: { printThreshold: null } });
  return app.getResourceValue(fetchExposure).fetch;
}

/** Reads the body too, or what is compared would be less than any server does. */
async function empty(request) {
  await request.text();
  return new Response(answer, { headers: { "content-type": "application/json" } });
}

const fetch = process.env.RUNNER_EDGE === "ours" ? await exposed() : empty;
if (globalThis.Bun === undefined) {
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, (request) =>
    fetch(request),
  );
} else {
  console.log(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => fetch(request) }).port);
}
