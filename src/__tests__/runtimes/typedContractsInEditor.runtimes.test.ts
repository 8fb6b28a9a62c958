import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { createTempProject, type TempProject } from "../support/tempProject";
import { root } from "../support/root";

const options: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
  skipLibCheck: true,
  declaration: true,
  declarationMap: true,
};

const server = `import { r } from "@bluelibs/runner";

export const charge = r.task("billing.tasks.charge").run(async (input: { amount: number }) => input.amount).build();
export const refund = r.task("billing.tasks.refund").run(async (input: { amount: number }) => input.amount).build();
export const rows = r.task("billing.tasks.rows").stream(async function* () { yield 1; }).build();
`;

/** A caller whose cursor is where the mark stands. */
const caller = (code: string) => `import { createHttpClient, r } from "@bluelibs/runner";
import type * as Billing from "@acme/billing";
${code}`;

/** The server's package as published, source beside declarations and their maps, and a project that uses it. */
let project: TempProject;
let source: string;

beforeAll(async () => {
  await ensureBuilt();
  const files = { name: "@acme/billing", type: "module", types: "./dist/tasks.d.ts" };
  project = createTempProject({
    "node_modules/@acme/billing/package.json": JSON.stringify(files),
    "node_modules/@acme/billing/src/tasks.ts": server,
  });
  const scope = join(project.folder, "node_modules/@bluelibs");
  mkdirSync(scope, { recursive: true });
  symlinkSync(root, join(scope, "runner"), "dir");
  source = join(project.folder, "node_modules/@acme/billing/src/tasks.ts");
  const outDir = join(project.folder, "node_modules/@acme/billing/dist");
  const { diagnostics } = ts
    .createProgram([source], { ...options, emitDeclarationOnly: true, outDir, rootDir: join(source, "..") })
    .emit();
  expect(diagnostics).toEqual([]);
}, buildTimeoutMs);

afterAll(() => project.remove());

/** Opens a file in an editor. */
function open(code: string): { readonly service: ts.LanguageService; readonly path: string; readonly cursor: number } {
  const marked = caller(code);
  const cursor = marked.indexOf("|");
  const path = join(project.folder, "caller.ts");
  project.write({ "caller.ts": marked.replace("|", "") });
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [path],
    getScriptVersion: () => "1",
    getScriptSnapshot: (asked) => {
      const text = ts.sys.readFile(asked);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => project.folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: (path) => ts.sys.realpath?.(path) ?? path,
  });
  return { service, path, cursor };
}

function completionsOf(code: string): string[] {
  const { service, path, cursor } = open(code);
  const names = service.getCompletionsAtPosition(path, cursor, {})?.entries.map(({ name }) => name) ?? [];
  return names.filter((name) => name.startsWith("billing.") || ["charge", "refund", "rows", "streams"].includes(name));
}

it.each([
  ["phantom.of", `r.task.phantom.of<typeof Billing.charge>("|");`, ["billing.tasks.charge"]],
  ["the names of a tunnel", `r.tunnel.client<typeof Billing>("x").tasks({ | });`, ["charge", "refund", "rows"]],
  [
    "the id of a name of a tunnel",
    `r.tunnel.client<typeof Billing>("x").tasks({ charge: "|" });`,
    ["billing.tasks.charge"],
  ],
  [
    "the id of a name of a client",
    `createHttpClient<typeof Billing>({ baseUrl: "x", tasks: { charge: "|" } });`,
    ["billing.tasks.charge"],
  ],
  [
    "the task of a call",
    `void createHttpClient<typeof Billing>({ baseUrl: "x" }).task("|");`,
    ["billing.tasks.charge", "billing.tasks.refund"],
  ],
  ["the task of a stream", `createHttpClient<typeof Billing>({ baseUrl: "x" }).stream("|");`, ["billing.tasks.rows"]],
])(
  "an editor completes %s",
  (_where, code, expected) => {
    expect(completionsOf(code).sort()).toEqual(expected);
  },
  60_000,
);

/** What editors ask of the service beside its public interface: where in a source a declaration comes from. */
interface SourceMapping {
  getSourceMapper(): {
    tryGetSourcePosition(at: { fileName: string; pos: number }): { fileName: string; pos: number } | undefined;
  };
}

it.each([
  [
    "tunnel",
    `const tunnel = r.tunnel.client<typeof Billing>("x").tasks({ charge: "billing.tasks.charge" }).http({ baseUrl: "x" }).build();
tunnel.tasks.char|ge;`,
  ],
  [
    "client",
    `const client = createHttpClient<typeof Billing>({ baseUrl: "x", tasks: { charge: "billing.tasks.charge" } });
client.tasks.char|ge;`,
  ],
])("an editor leads from the name of a task of a %s to the source of the server", (_where, code) => {
  const { service, path, cursor } = open(code);
  const [declaration] = service.getDefinitionAtPosition(path, cursor) ?? [];

  const found = (service as ts.LanguageService & SourceMapping)
    .getSourceMapper()
    .tryGetSourcePosition({ fileName: declaration?.fileName ?? "", pos: declaration?.textSpan.start ?? 0 });

  expect(found).toEqual({ fileName: source, pos: server.indexOf("charge =") });
});
