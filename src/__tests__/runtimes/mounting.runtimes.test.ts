import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { root } from "../support/root";
import { readSections } from "./support/guidePage";
import { projectFolder, startProgram, type Program } from "./support/project";

/** The examples, in the project: what they import is installed there. */
const examples = () => join(projectFolder(), "mounting");

interface Mounting {
  readonly name: string;
  /** The example that mounts it. */
  readonly file: string;
  /** A program that starts it and prints its origin. */
  readonly program: string;
  /** What the framework answers to paths that nobody knows. */
  readonly catchAll: { readonly status: number; readonly text: string };
  /** A route of the framework itself. */
  readonly route: { readonly path: string; readonly body?: string; readonly text: string };
}

const sum = { path: "/sum", body: '{"a":19,"b":23}', text: '{"sum":42}' };
const nothingHere = { status: 404, text: "nothing here" };
const starting = (file: string, web = "web") => `
  import { web } from ${JSON.stringify(file)};
  import { originOf, startShop } from "./shop";
  startShop(${web}).then((app) => console.log("ready " + originOf(app.getResourceValue(web))));`;

const mountings: readonly Mounting[] = [
  ...["hono", "koa", "nest", "h3"].map((name) => ({
    name,
    file: `${name}.ts`,
    program: starting(`./${name}`),
    catchAll: nothingHere,
    route: sum,
  })),
  {
    name: "next",
    file: "next/server.ts",
    program: starting("./next/server", `web.with({ dir: "mounting/next" })`),
    catchAll: { status: 404, text: "This page could not be found" },
    route: { path: "/", text: "a page of Next" },
  },
];

async function buildProgram({ name, program }: Mounting): Promise<string> {
  const outfile = join(projectFolder(), `${name}.mounted.mjs`);
  await build({
    stdin: { contents: program, resolveDir: examples(), loader: "ts" },
    outfile,
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    bundle: true,
    packages: "external",
    format: "esm",
    target: "es2022",
    platform: "node",
    logLevel: "silent",
  });
  return outfile;
}

beforeAll(async () => {
  await cp(join(root, "examples/tunnels/mounting"), examples(), { recursive: true });
});

it("examples of mounting compile against the packages they are for and the package as it is published", () => {
  const options: ts.CompilerOptions = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    typeRoots: [join(projectFolder(), "node_modules/@types")],
    experimentalDecorators: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const files = mountings.map(({ file }) => join(examples(), file));
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram(files, options));

  expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
}, 120_000);

describe.each(mountings)("$name", (mounting) => {
  const { name, route, catchAll } = mounting;
  let server: Program;
  let origin = "";
  beforeAll(async () => {
    server = startProgram([process.execPath, await buildProgram(mounting)], {
      // Its other bundler follows no links out of the project.
      env: { NEXT_TELEMETRY_DISABLED: "1", IS_WEBPACK_TEST: "1" },
    });
    origin = await server.line(/^ready (.*)/);
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  const clientOf = (token: string) => createHttpMixedClient({ baseUrl: `${origin}/__runner`, auth: { token } });

  it(`a mounted exposure ${name}: a task is called through the framework`, async () => {
    await using client = clientOf("dev-secret");

    expect(await client.task("shop.tasks.add", { a: 19, b: 23 })).toBe(42);
  });

  it(`a mounted exposure ${name}: an upload of 3 MB arrives whole`, async () => {
    await using client = clientOf("dev-secret");
    const file = createNodeFile({ name: "large.bin" }, { buffer: Buffer.alloc(3_000_000) });

    expect(await client.task("shop.tasks.size", { file })).toBe(3_000_000);
  });

  it(`a mounted exposure ${name}: callers without the token are refused`, async () => {
    await using client = clientOf("wrong");

    await expect(client.task("shop.tasks.add", { a: 1, b: 1 })).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  it(`a mounted exposure ${name}: an unknown path below the base path is the exposure's, not the framework's catch-all's`, async () => {
    const response = await fetch(`${origin}/__runner/nothing`, { method: "POST" });

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  });

  it(`a mounted exposure ${name}: a route of the framework is served, its body parsed`, async () => {
    const { path, body = null, text } = route;
    const headers = { "content-type": "application/json" };
    const response = await fetch(origin + path, body === null ? {} : { method: "POST", body, headers });

    expect(await response.text()).toContain(text);
    expect(response.status).toBe(200);
  });

  it(`a mounted exposure ${name}: any other path is for the framework's catch-all`, async () => {
    const response = await fetch(`${origin}/elsewhere`);

    expect(await response.text()).toContain(catchAll.text);
    expect(response.status).toBe(catchAll.status);
  });

  it(`a mounted exposure ${name}: SIGTERM ends the run and the framework`, async () => {
    server.child.kill("SIGTERM");

    expect(await server.ended).toBe(0);
  });
});

describe.each([
  ["express", "mounted behind its body parser"],
  ["koa", "mounted behind its body parser"],
  ["nest", "mounted behind its body parser"],
  ["express", "attached to its server"],
  ["koa", "attached to its server"],
  ["nest", "attached to its server"],
])("%s, %s", (name, how) => {
  let server: Program;
  let origin = "";
  const clientOf = () => createHttpMixedClient({ baseUrl: `${origin}/__runner`, auth: { token: "dev-secret" } });
  beforeAll(async () => {
    const attached = how.startsWith("attached") ? ["attached"] : [];
    server = startProgram([process.execPath, "parsersFirst.mjs", name, ...attached]);
    origin = await server.line(/^ready (.*)/);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  it(`an example of mounting ${name}: an exposure ${how} gives a task its input`, async () => {
    await using client = clientOf();

    expect(await client.task("shop.tasks.add", { a: 19, b: 23 })).toBe(42);
  });

  it(`an example of mounting ${name}: an exposure ${how} reads an upload of 3 MB whole`, async () => {
    await using client = clientOf();
    const file = createNodeFile({ name: "large.bin" }, { buffer: Buffer.alloc(3_000_000) });

    expect(await client.task("shop.tasks.size", { file })).toBe(3_000_000);
  });

  it(`an example of mounting ${name}: an exposure ${how} leaves other paths to the framework, bodies included`, async () => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${origin}/elsewhere`, { method: "POST", body: "{}", headers });

    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("NOT_FOUND");
  });
});

it("says in the guide what the examples do", () => {
  const squeeze = (code: string) => code.replace(/\s+/g, " ");
  const sections = readSections("readmes/MOUNTING.md");
  const told = mountings.map(({ name, file }) => {
    const [section = []] = [...sections].filter(([heading]) => heading.toLowerCase() === name).map(([, each]) => each);
    const example = squeeze(readFileSync(join(root, "examples/tunnels/mounting", file), "utf8"));
    return section.map(({ code }) => ({ name, isInExample: example.includes(squeeze(code)) }));
  });

  expect(told).toEqual(mountings.map(({ name }) => [{ name, isInExample: true }]));
});
