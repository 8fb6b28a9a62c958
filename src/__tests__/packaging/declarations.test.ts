import { join, sep } from "node:path";
import ts from "typescript";
import { ensureBuilt } from "../support/ensureBuilt";
import { root } from "../support/virtualProgram";

const entries = ["index", "node/index", "errors/index", "platform/createFile"];
const dist = join(root, "dist") + sep;

beforeAll(ensureBuilt, 120_000);

it.each([".d.ts", ".d.cts"])(
  "declarations (*%s) have no mistakes of their own, so users can do without skipLibCheck",
  (extension) => {
    const program = ts.createProgram(
      entries.map((entry) => `${dist}${entry}${extension}`),
      {
        strict: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts"],
        types: ["node"],
        skipLibCheck: false,
        noEmit: true,
      },
    );
    const ours = program.getSourceFiles().filter(({ fileName }) => ts.sys.resolvePath(fileName).startsWith(dist));
    const mistakes = ours
      .flatMap((file) => program.getSemanticDiagnostics(file))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));

    expect(ours.length).toBeGreaterThanOrEqual(entries.length);
    expect(mistakes).toEqual([]);
  },
  60_000,
);

it.each([
  ["@bluelibs/runner", "dist/index.d.ts"],
  ["@bluelibs/runner/edge", "dist/index.d.ts"],
  ["@bluelibs/runner/defs", "dist/index.d.ts"],
  ["@bluelibs/runner/node", "dist/node/index.d.ts"],
  ["@bluelibs/runner/errors", "dist/errors/index.d.ts"],
  ["@bluelibs/runner/platform/createFile", "dist/platform/createFile.d.ts"],
])("%s has types for compilers that do not read exports, as with `module: CommonJS`", (name, path) => {
  const installed = "/project/node_modules/@bluelibs/runner/";
  const here = (asked: string) => (asked.startsWith(installed) ? join(root, asked.slice(installed.length)) : asked);
  const { resolvedModule } = ts.resolveModuleName(
    name,
    "/project/main.ts",
    { moduleResolution: ts.ModuleResolutionKind.Node10 },
    {
      fileExists: (asked) => ts.sys.fileExists(here(asked)),
      readFile: (asked) => ts.sys.readFile(here(asked)),
    },
  );

  expect(resolvedModule?.resolvedFileName).toBe(`${installed}${path}`);
});
