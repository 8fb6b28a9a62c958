import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startExposure, token, type TestExposure } from "../support/exposure";
import { root } from "../support/root";
import { charge, ping } from "../support/billingModule";
import { startEditor } from "./support/editor";
import { startProgram } from "./support/project";
import { compile, installBeside, readProgram, versions, writeProject, type Version } from "./support/typescript";

/** A caller of another package, by its type alone: built, run, and read in an editor. */

const run = promisify(execFile);
const options = {
  strict: true,
  skipLibCheck: true,
  target: "es2022",
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
};

const main = `import { createHttpClient, r } from "@bluelibs/runner";
import { run } from "@bluelibs/runner/node";
import type * as Billing from "@acme/billing";

const [baseUrl = "", token = ""] = process.argv.slice(2);
const tunnel = r.tunnel
  .client<typeof Billing>("shop.billing")
  .tasks({ charge: "billing.tasks.charge" })
  .http({ baseUrl, auth: { token } })
  .build();
const checkout = r
  .task("shop.tasks.checkout")
  .dependencies({ charge: tunnel.tasks.charge })
  .run(async (amount: number, { charge }) => charge({ amount, at: "2026-01-02" }))
  .build();
await using client = createHttpClient<typeof Billing>({
  baseUrl,
  auth: { token },
  tasks: { charge: "billing.tasks.charge" },
});
await using app = await run(r.resource("shop").register([checkout, tunnel]).build(), { logs: { printThreshold: null } });
const one = await app.runTask(checkout, 3);
const other = await client.tasks.charge({ amount: 4, at: "2026-01-02" });
console.log(JSON.stringify([one.paid, other.paid]));
`;

let caller: string;
let source: string;
let billing: TestExposure;

beforeAll(async () => {
  const text = await readProgram("billing.ts");
  const manifest = { name: "@acme/billing", version: "1.0.0", type: "module", files: ["dist", "src"] };
  const server = await writeProject("typed-server", {
    "package.json": JSON.stringify({ ...manifest, main: "./dist/billing.js", types: "./dist/billing.d.ts" }),
    "src/billing.ts": text,
    "tsconfig.json": JSON.stringify({
      compilerOptions: { ...options, rootDir: "src", outDir: "dist", declaration: true, declarationMap: true },
      include: ["src"],
    }),
  });
  await installBeside(server, ["zod"]);
  expect(await compile("5.9", server)).toBe("");
  // Whoever loads the server is told so.
  await writeFile(join(server, "dist/billing.js"), `throw new Error("The server was loaded.");`);
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts"], { cwd: server });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];

  caller = await writeProject("typed-caller", {
    "package.json": JSON.stringify({ type: "module", dependencies: { "@bluelibs/runner": "*" } }),
    "src/main.ts": main,
    "tsconfig.json": JSON.stringify({ compilerOptions: { ...options, rootDir: "src" }, include: ["src"] }),
  });
  await installBeside(caller, ["zod"]);
  const installed = join(caller, "node_modules/@acme/billing");
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(server, filename), "-C", installed, "--strip-components=1"]);
  source = join(installed, "src/billing.ts");
  billing = await startExposure([charge, ping]);
}, 120_000);
afterAll(() => billing?.[Symbol.asyncDispose]());

/** Reads what was built, and runs it. */
async function check(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  const built = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  expect(built.join("")).toContain("@bluelibs/runner");
  expect(built.join("")).not.toContain("@acme");

  const baseUrl = `http://127.0.0.1:${billing.port}/__runner`;
  await using program = startProgram([process.execPath, join(folder, "main.js"), baseUrl, token], { cwd: caller });
  expect([await program.ended, program.output().trim()]).toEqual([0, '["3 EUR","4 EUR"]']);
}

it.each(versions)(
  "what tsc of TypeScript %s makes of a typed caller names no module of the server, and runs without it",
  async (version: Version) => {
    const outDir = join(caller, `built-${version}`);

    expect(await compile(version, caller, "--outDir", outDir)).toBe("");
    await check(outDir);
  },
  120_000,
);

it("what tsup makes of a typed caller names no module of the server, and runs without it", async () => {
  const tsup = join(root, "node_modules/tsup/dist/cli-default.js");
  const args = [tsup, "src/main.ts", "--format", "esm", "--target", "es2022", "--out-dir", "built-tsup"];

  await run(process.execPath, args, { cwd: caller });

  await check(join(caller, "built-tsup"));
}, 120_000);

describe.each(versions)("an editor with TypeScript %s", (version: Version) => {
  it.each([
    ["a tunnel", "tunnel.tasks.charge"],
    ["a client", "client.tasks.charge"],
  ])(
    "leads from the name of a task of %s to the source of the server's package",
    async (_what, expression) => {
      const file = join(caller, "src/main.ts");
      const before = main.slice(0, main.indexOf(expression) + expression.length - 1).split("\n");
      const declared = (await readFile(source, "utf8"))
        .split("\n")
        .findIndex((line) => line.includes("const charge ="));
      await using editor = await startEditor(version, caller);

      const found = await editor.definitionOf({
        file,
        line: before.length - 1,
        character: before.at(-1)?.length ?? 0,
      });

      expect(found).toEqual({ file: source, line: declared, character: "export const ".length });
    },
    120_000,
  );
});
