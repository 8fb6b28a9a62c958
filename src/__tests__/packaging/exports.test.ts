import { readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import ts from "typescript";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runProgram } from "../support/runProgram";
import { createVirtualProgram } from "../support/virtualProgram";
import { root } from "../support/root";

const entries = {
  "@bluelibs/runner": "index",
  // Names of 5.x for the same module.
  "@bluelibs/runner/edge": "index",
  "@bluelibs/runner/defs": "index",
  "@bluelibs/runner/node": "node/index",
  "@bluelibs/runner/otel": "node/otel/index",
  "@bluelibs/runner/nats": "node/nats/index",
  "@bluelibs/runner/errors": "errors/index",
  "@bluelibs/runner/platform/createFile": "platform/createFile",
};
const names = Object.keys(entries) as (keyof typeof entries)[];

/** Packages that an entry works with, and that applications install by themselves. */
const peersOf: { readonly [name: string]: readonly string[] } = {
  "@bluelibs/runner/otel": ["@opentelemetry/api"],
  "@bluelibs/runner/nats": ["@nats-io/jetstream", "@nats-io/kv", "@nats-io/obj", "@nats-io/transport-node"],
};

/** Names of every entry, types included. `UPDATE_EXPORTS=1 npx jest exports` rewrites it. */
const goldenPath = join(__dirname, "exports.golden.json");

interface Surface {
  readonly values: string[];
  readonly types: string[];
}

/** What a source file exports, as the compiler sees it. */
function readSurfaces(): Record<string, Surface> {
  const imports = names.map((name) => `import "${name}";`).join("\n");
  const program = createVirtualProgram(new Map([["entries.ts", imports]]));
  const checker = program.getTypeChecker();
  const surfaceOf = (path: string): Surface => {
    const file = program.getSourceFile(join(root, "src", `${path}.ts`));
    const symbol = file && checker.getSymbolAtLocation(file);
    const exported = symbol ? checker.getExportsOfModule(symbol) : [];
    const isValue = (item: ts.Symbol) => {
      const target = item.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(item) : item;
      return (target.flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(item);
    };
    const sorted = (items: ts.Symbol[]) => items.map((item) => item.name).sort();
    return { values: sorted(exported.filter(isValue)), types: sorted(exported.filter((item) => !isValue(item))) };
  };
  return Object.fromEntries(names.map((name) => [name, surfaceOf(entries[name])]));
}

function isTypeOnly(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some((declaration) => ts.isTypeOnlyExportDeclaration(declaration));
}

/** Runs an ES module in a fresh process and reads the JSON it prints. */
async function evaluate<T>(source: string): Promise<T> {
  const { exitCode, stdout, stderr } = await runProgram(["--input-type=module", "-"], { input: source });
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

/** The imports of a built entry that leave the package, by how they are written. */
async function externalsOf(path: string): Promise<{ eager: string[]; lazy: string[] }> {
  const { metafile } = await build({
    entryPoints: [join(root, path)],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const external = Object.values(metafile.inputs).flatMap((input: Metafile["inputs"][string]) =>
    input.imports.filter((item) => item.external),
  );
  const pathsOf = (isLazy: boolean) => [
    ...new Set(external.filter(({ kind }) => (kind === "dynamic-import") === isLazy).map((item) => item.path)),
  ];
  return { eager: pathsOf(false).sort(), lazy: pathsOf(true).sort() };
}

const surfaces = readSurfaces();
beforeAll(ensureBuilt, buildTimeoutMs);

describe("names", () => {
  it.each(names)("%s exports the same values from source, ES modules and CommonJS", async (name) => {
    const esm = `import * as m from ${JSON.stringify(name)}; console.log(JSON.stringify(Object.keys(m).sort()));`;
    const cjsFile = JSON.stringify(`./dist/${entries[name]}.cjs`);
    const cjs = `import { createRequire } from "node:module";
      const m = createRequire(process.cwd() + "/x.js")(${cjsFile});
      console.log(JSON.stringify(Object.keys(m).filter((key) => key !== "__esModule").sort()));`;

    expect(await evaluate(esm)).toEqual(surfaces[name]?.values);
    expect(await evaluate(cjs)).toEqual(surfaces[name]?.values);
  });

  it("exported names change only on purpose", () => {
    if (process.env.UPDATE_EXPORTS) writeFileSync(goldenPath, `${JSON.stringify(surfaces, null, 2)}\n`);
    const golden: unknown = JSON.parse(readFileSync(goldenPath, "utf8"));

    expect(surfaces).toEqual(golden);
  });
});

it("the build leaves classes the names they are exported under, which is how errors print", async () => {
  const renamed = await evaluate<string[]>(`
    import * as universal from "@bluelibs/runner/node";
    import * as errors from "@bluelibs/runner/errors";
    const isClass = (value) => typeof value === "function" && /^class\\b/.test(String(value));
    const all = [...Object.entries(universal), ...Object.entries(errors)].filter(([, value]) => isClass(value));
    console.log(JSON.stringify(all.filter(([name, value]) => name !== value.name).map(([name]) => name)));`);

  expect(renamed).toEqual([]);
});

describe("identity", () => {
  /** The two entries differ in these on purpose: the Node ones know the Node built-ins. */
  const perEntry = ["run", "globals"];

  it.each(["esm", "cjs"])("the identity of a value holds between . and ./node (%s)", async (format) => {
    const load = format === "esm" ? "await import" : "require";
    const files = format === "esm" ? names : names.map((name) => `./dist/${entries[name]}.cjs`);
    const differing = await evaluate<string[]>(`
      import { createRequire } from "node:module";
      const require = createRequire(process.cwd() + "/x.js");
      const universal = ${load}(${JSON.stringify(files[0])});
      const node = ${load}(${JSON.stringify(files[1])});
      const differences = (a, b, path) => Object.keys(a).flatMap((key) => {
        const at = path + key;
        if (a[key] === b[key]) return [];
        const isTable = at === "globals" || at.startsWith("globals.") && Object.getPrototypeOf(a[key]) === Object.prototype;
        return isTable && b[key] && !("id" in a[key]) ? differences(a[key], b[key], at + ".") : [at];
      });
      console.log(JSON.stringify(differences(universal, node, "")));
    `);

    expect(differing.filter((path) => !perEntry.includes(path))).toEqual([]);
  });

  it("the identity of a value holds between import and require of one entry", async () => {
    const differing = await evaluate<string[]>(`
      import { createRequire } from "node:module";
      const require = createRequire(process.cwd() + "/x.js");
      const differing = [];
      for (const name of ${JSON.stringify(names)}) {
        const [imported, required] = [await import(name), require(name)];
        for (const key of Object.keys(imported)) if (imported[key] !== required[key]) differing.push(name + " " + key);
      }
      console.log(JSON.stringify(differing));
    `);

    expect(differing).toEqual([]);
  });
});

describe("loading", () => {
  const isBuiltin = (path: string) => path.startsWith("node:") && builtinModules.includes(path.slice("node:".length));

  it.each(names.filter((name) => name !== "@bluelibs/runner/node"))("%s needs nothing but itself", async (name) => {
    const { eager, lazy } = await externalsOf(`dist/${entries[name]}.js`);

    expect(eager.filter((path) => name !== "@bluelibs/runner/nats" || !isBuiltin(path))).toEqual([]);
    const onFirstUse = ["lru-cache", "multipasta", ...(peersOf[name] ?? [])];
    expect(lazy.filter((path) => !onFirstUse.includes(path))).toEqual([]);
  });

  it("./node imports Node, the rest on first use", async () => {
    const { eager, lazy } = await externalsOf("dist/node/index.js");

    expect(eager.filter((path) => !isBuiltin(path))).toEqual([]);
    expect(
      lazy.filter((path) => !["busboy", "cookie", "jose", "lru-cache", "multipasta", "undici", "ws"].includes(path)),
    ).toEqual([]);
  });

  it("./node leaves ws and undici alone until they are used", async () => {
    const loaded = await evaluate<string[]>(`
      import { createRequire } from "node:module";
      const require = createRequire(process.cwd() + "/x.js");
      require("./dist/node/index.cjs");
      await import("@bluelibs/runner/node");
      console.log(JSON.stringify(Object.keys(require.cache)));
    `);

    expect(loaded.filter((path) => /node_modules\/(?:ws|undici)\//.test(path))).toEqual([]);
  });

  it(". bundles for a browser without a Node builtin", async () => {
    const { errors, metafile } = await build({
      entryPoints: [join(root, "dist/index.js")],
      bundle: true,
      platform: "browser",
      format: "esm",
      metafile: true,
      write: false,
      logLevel: "silent",
    });

    const imported = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));

    expect(errors).toEqual([]);
    expect(imported).toEqual([]);
  });
});
