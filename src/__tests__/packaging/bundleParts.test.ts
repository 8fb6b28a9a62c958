import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { startPeer, type HttpPeer } from "../support/httpPeer";
import { runProgram } from "../support/runProgram";
import { root } from "../support/root";

/** Prints what each call of a page's program came to. */
const program = `
  import { createHttpClient, r } from "@bluelibs/runner";
  const client = createHttpClient({ baseUrl: process.argv[2] });
  const context = r.asyncContext("user").build();
  const attempts = {
    plain: () => client.task("echo", { a: [1, undefined], at: new Date(0) }),
    early: () => context.serialize(new Set([1])),
    map: () => client.task("echo", new Map([["k", /a/g]])),
    file: () => client.task("echo", { file: { $runnerFile: "File", id: "f", meta: { name: "f" }, _web: { blob: new Blob(["x"]) } } }),
    hostile: () => client.task("hostile"),
    late: () => context.serialize(new Set([1])),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      console.log(name, await attempt());
    } catch (error) {
      console.log(name, error.code);
    }
  }
`;

const results = {
  plain: "plain { a: [ 1, undefined ], at: 1970-01-01T00:00:00.000Z }",
  map: "map Map(1) { 'k' => /a/g }",
  file: "file sent a form",
  hostile: "hostile INVALID_PAYLOAD",
  late: 'late {"__type":"Set","value":[1]}',
};

let peer: HttpPeer;
let folder: string;
beforeAll(async () => {
  await ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), "runner-parts-"));
  peer = await startPeer(({ url, headers }, response, body) => {
    const { input } = body.startsWith("{") ? (JSON.parse(body) as { input?: unknown }) : { input: "sent a form" };
    const evil = { __type: "RegExp", value: { pattern: "(a+)+$", flags: "" } };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ok: true, result: url?.endsWith("/hostile") ? evil : input }));
    expect(headers["content-type"]).toMatch(/json|form-data/);
  });
}, buildTimeoutMs);
afterAll(async () => {
  await peer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Bundles the program as pages do; gives the folder of the files. */
async function bundle(name: string, options: BuildOptions): Promise<string> {
  const outdir = join(folder, name);
  const stdin = { contents: program, resolveDir: root };
  await build({ stdin, bundle: true, minify: true, outdir, outExtension: { ".js": ".mjs" }, ...options });
  return outdir;
}

async function linesOf(outdir: string): Promise<string[]> {
  const { stdout, stderr } = await runProgram([join(outdir, "stdin.mjs"), peer.baseUrl]);
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

const asModules = { format: "esm", splitting: true } as const;

it("a bundle in parts makes plain calls with the first part alone, and the others fail with what is missing", async () => {
  const outdir = await bundle("first", asModules);
  const deferred = readdirSync(outdir).filter((file) => /^completeCodec/.test(file));
  for (const file of deferred) rmSync(join(outdir, file));

  const missing = "ERR_MODULE_NOT_FOUND";
  expect(deferred).toHaveLength(1);
  expect(await linesOf(outdir)).toEqual([
    results.plain,
    "early TYPES_NOT_LOADED",
    ...["map", "file", "hostile"].map((name) => `${name} ${missing}`),
    "late TYPES_NOT_LOADED",
  ]);
});

it.each<[string, BuildOptions]>([
  ["in parts", asModules],
  ["in one file", { format: "esm" }],
])("a bundle %s makes every call, and refuses hostile replies", async (name, options) => {
  expect(await linesOf(await bundle(name, options))).toEqual([
    results.plain,
    "early TYPES_NOT_LOADED",
    results.map,
    results.file,
    results.hostile,
    results.late,
  ]);
});

it("a program that is not bundled has every type from the start", async () => {
  for (const [format, args] of [
    ["module", ["--input-type=module"]],
    ["commonjs", ["--input-type=commonjs"]],
  ] as const) {
    const load = format === "module" ? `await import("@bluelibs/runner")` : `require("@bluelibs/runner")`;
    const script = `const { r } = ${load}; console.log(r.asyncContext("user").build().serialize(new Set([1])));`;

    expect((await runProgram([...args, "-"], { input: script })).stdout).toBe('{"__type":"Set","value":[1]}\n');
  }
});

it("a bundle has the run's serializer where something refers to it, and otherwise does without its code", async () => {
  const sizeOf = async (contents: string) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: root },
      bundle: true,
      format: "esm",
      write: false,
    });
    return outputFiles[0]!.text;
  };
  const runs = `import { r, run } from "@bluelibs/runner"; const app = await run(r.resource("app").build());`;

  const without = await sizeOf(`${runs} console.log(app.store.resources.has("globals.resources.serializer"));`);
  const having = await sizeOf(
    `import { globals } from "@bluelibs/runner"; ${runs}
     const serializer = app.getResourceValue(globals.resources.serializer);
     console.log(serializer.stringify(new Set()), app.getResourceValue("globals.resources.serializer") === serializer);`,
  );

  const outputOf = async (input: string) => (await runProgram(["--input-type=module", "-"], { input })).stdout;
  expect(await outputOf(without)).toBe("false\n");
  expect(without).not.toContain("Float64Array");
  expect(await outputOf(having)).toBe('{"__type":"Set","value":[]} true\n');
});

describe("what serves calls", () => {
  /** Whether the files that an entry begins with hold it, and whether a file in their reach loads it late. */
  async function placesOf(entry: string): Promise<{ atFirst: boolean; loadedLate: boolean }> {
    const { metafile } = await build({
      entryPoints: [join(root, entry)],
      bundle: true,
      splitting: true,
      treeShaking: false,
      packages: "external",
      format: "esm",
      outdir: folder,
      metafile: true,
      write: false,
    });
    const begun = new Set([entry]);
    const late = new Set<string>();
    for (const path of begun) {
      for (const { kind, path: imported } of metafile.inputs[path]?.imports ?? []) {
        if (imported.startsWith("dist/")) (kind === "import-statement" ? begun : late).add(imported);
      }
    }
    const texts = [...begun].map((path) => readFileSync(join(root, path), "utf8"));
    return {
      atFirst: texts.some((text) => text.includes("function createFetchHandler(")),
      loadedLate: [...late].some((path) => /startFetchExposure/.test(path)),
    };
  }

  it("is loaded by the entry of Node when something is served", async () => {
    expect(await placesOf("dist/late.js")).toEqual({ atFirst: false, loadedLate: true });
    expect(await placesOf("dist/node/index.js")).toEqual({ atFirst: false, loadedLate: true });
  });

  it("is at hand in the entry of bundlers, where esbuild would have pages begin with what they share with a late part", async () => {
    expect(await placesOf("dist/index.js")).toEqual({ atFirst: true, loadedLate: false });
  });
});
