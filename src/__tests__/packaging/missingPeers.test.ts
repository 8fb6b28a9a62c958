import { cpSync } from "node:fs";
import { join } from "node:path";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runProgram } from "../support/runProgram";
import { createTempProject, type TempProject } from "../support/tempProject";
import { root } from "../support/root";

let project: TempProject;
beforeAll(async () => {
  await ensureBuilt();
  project = createTempProject({});
  // A copy: packages that a link leads to are looked for beside the original, where the peers are installed.
  const installed = join(project.folder, "node_modules/@bluelibs/runner");
  for (const part of ["package.json", "dist"]) cpSync(join(root, part), join(installed, part), { recursive: true });
  for (const name of ["busboy", "cookie", "lru-cache", "multipasta", "undici", "ws"]) project.link(name);
}, buildTimeoutMs);
afterAll(() => project.remove());

const use = `
  const app = r
    .resource("app")
    .register([natsConnection.with({ servers: "nats://127.0.0.1:1" })])
    .build();
  console.log("imported");
  run(app, { shutdownHooks: false, logs: { printThreshold: null } }).then(
    () => console.log("booted"),
    (error) => console.log(error.message),
  );
`;

it.each([
  [
    "import",
    "use.mjs",
    `import { r, run } from "@bluelibs/runner/node"; import { natsConnection } from "@bluelibs/runner/nats"; ${use}`,
  ],
  [
    "require",
    "use.cjs",
    `const { r, run } = require("@bluelibs/runner/node"); const { natsConnection } = require("@bluelibs/runner/nats"); ${use}`,
  ],
])("without its peers the NATS entry loads by %s, and its first use says what to install", async (_how, file, code) => {
  project.write({ [file]: code });

  const { exitCode, stdout, stderr } = await runProgram([join(project.folder, file)]);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const [first, ...rest] = stdout.split("\n");
  expect(first).toBe("imported");
  expect(rest.join("\n")).toContain(
    '@bluelibs/runner/nats needs the package "@nats-io/transport-node", which is not installed: npm install ' +
      "@nats-io/transport-node @nats-io/jetstream @nats-io/kv @nats-io/obj",
  );
});
