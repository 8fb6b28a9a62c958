import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runProgram } from "../support/runProgram";

beforeAll(ensureBuilt, buildTimeoutMs);

/**
 * One process with both formats of the package, as Bun makes it of `import` beside `require`, and tsx of a CommonJS
 * application: what that requires is one copy, and what the package imports later is another.
 */
const program = `
  import { createRequire } from "node:module";
  import { r } from "@bluelibs/runner";

  const require = createRequire(import.meta.url);
  const { exports } = require("./package.json");
  const other = require(exports["./node"].require.default);
  const imported = await import("@bluelibs/runner/node");

  const tenant = r.asyncContext("tenant").build();
  const principal = r.asyncContext("principal").build();
  const asked = r.task("asked").dependencies({ tenant, principal }).run(async (_input, { tenant, principal }) => ({
    tenant: tenant.use(),
    principal: principal.use(),
    method: imported.useExposureContext().method,
  })).build();
  const token = { token: "secret", principal: "ada" };
  const exposure = other.nodeExposure.with({ http: { listen: { port: 0 }, auth: { tokens: [token], principal } } });
  const reachable = r.tunnel.server("reachable").tasks([asked]).build();
  const root = r.resource("app").register([tenant, principal, asked, reachable, exposure]).build();
  const app = await imported.run(root, { logs: { printThreshold: null } });
  const baseUrl = app.getResourceValue(other.nodeExposure).url;
  const client = imported.createHttpMixedClient({ baseUrl, auth: { token: "secret" }, contexts: [tenant] });
  const answer = await tenant.provide("acme", () => client.task("asked")).catch((error) => error.message);
  console.log(other.r !== r, JSON.stringify(answer));
  await client.close();
  await app.dispose();
`;

it("a task sees what an exposure of another copy of the package provides: contexts, principal and exposure context", async () => {
  const { exitCode, stdout, stderr } = await runProgram(["--input-type=module", "-"], { input: program });

  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 0,
    stdout: 'true {"tenant":"acme","principal":"ada","method":"POST"}\n',
    stderr: "",
  });
});
