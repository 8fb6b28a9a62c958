import { join, sep } from "node:path";
import ts from "typescript";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { createTempProject, type TempProject } from "../support/tempProject";
import { root } from "../support/root";

const universal = ["", "/edge", "/defs", "/errors", "/platform/createFile"];
const dist = join(root, "dist") + sep;

let project: TempProject;

beforeAll(async () => {
  await ensureBuilt();
  project = createTempProject({});
  project.link("@types");
  project.link("..", "@bluelibs/runner");
}, buildTimeoutMs);
afterAll(() => project.remove());

/** Libraries that programs share, since parsing them takes longer than the rest. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says to a user about the given files and our declarations. */
function mistakesOf(files: Readonly<Record<string, string>>, options: ts.CompilerOptions): string[] {
  project.write(files);
  const complete: ts.CompilerOptions = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  const host = ts.createCompilerHost(complete);
  const { getSourceFile } = host;
  host.getCurrentDirectory = () => project.folder;
  host.getSourceFile = (path, ...rest) => {
    if (!path.includes("/typescript/lib/")) return getSourceFile(path, ...rest);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest));
    return parsed.get(path);
  };
  const program = ts.createProgram(
    Object.keys(files).map((path) => join(project.folder, path)),
    complete,
    host,
  );
  const checked = program
    .getSourceFiles()
    .filter((file) => !program.isSourceFileDefaultLibrary(file) && !file.fileName.includes("/@types/"));
  expect(checked.some(({ fileName }) => ts.sys.resolvePath(fileName).startsWith(dist))).toBe(true);
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...(complete.declaration ? program.getDeclarationDiagnostics() : []),
    ...checked.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ].map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
}

const importAll = (entries: readonly string[]): string =>
  entries.map((entry, index) => `export * as entry${index} from "@bluelibs/runner${entry}";\n`).join("");

const resolutions: readonly [string, ts.CompilerOptions, readonly string[]][] = [
  ["bundler", { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }, ["main.ts"]],
  [
    "node16",
    { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
    ["main.mts", "main.cts"],
  ],
  ["node10", { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 }, ["main.ts"]],
];
// What is right with that option is nearly always right without it, however modules are found.
const cases = resolutions.flatMap(([name, options, files]) =>
  (name === "bundler" ? [false, true] : [true]).map((exactOptionalPropertyTypes) => ({
    name,
    exactOptionalPropertyTypes,
    files,
    options: { ...options, exactOptionalPropertyTypes },
  })),
);

it.each(cases)(
  "the universal entries need no more than ES2022 and DOM, and no skipLibCheck ($name, exactOptionalPropertyTypes $exactOptionalPropertyTypes)",
  ({ files, options }) => {
    const texts = Object.fromEntries(files.map((file) => [file, importAll(universal)]));

    expect(mistakesOf(texts, { ...options, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] })).toEqual([]);
  },
  60_000,
);

it.each(cases)(
  "all entries need no more than ES2022 and the types of Node, and no skipLibCheck ($name, exactOptionalPropertyTypes $exactOptionalPropertyTypes)",
  ({ files, options }) => {
    const texts = Object.fromEntries(files.map((file) => [file, importAll(["/node", ...universal])]));

    expect(mistakesOf(texts, { ...options, lib: ["lib.es2022.d.ts"], types: ["node"] })).toEqual([]);
  },
  60_000,
);

it("the Node entry brings the types of Node, for projects that have them installed and do not list them", () => {
  const mistakes = mistakesOf(
    { "main.ts": importAll(["/node"]) },
    { ...resolutions[0]![1], lib: ["lib.es2022.d.ts"], types: [] },
  );

  expect(mistakes).toEqual([]);
}, 60_000);

it("a library can emit declarations for its tunnel, whose types are all exported", () => {
  const text = `
    import { globals, r } from "@bluelibs/runner";
    export const { tunnel: tag } = globals.tags;
    export const tunnel = r
      .resource("tunnel")
      .tags([tag])
      .init(async () => ({ mode: "client", tasks: ["a"], run: async (task, input) => [task.id, input] }))
      .build();`;
  const emitting = { noEmit: false, declaration: true, emitDeclarationOnly: true };

  expect(
    mistakesOf(
      { "main.ts": text },
      { ...resolutions[0]![1], ...emitting, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] },
    ),
  ).toEqual([]);
}, 60_000);

it("a library can emit declarations for what it defines, of every kind, and for what its resources give", () => {
  const text = `
    import { createHttpClient, globals, r, run } from "@bluelibs/runner";
    export const { system, excludeFromGlobalHooks, debug } = globals.tags;
    export const paid = r.event<{ id: number }>("paid").build();
    export const missing = r.error<{ id: number }>("missing").httpCode(404).build();
    export const user = r.asyncContext<{ name: string }>("user").build();
    export const route = r.tag<{ path: string }, { id: number }>("route").build();
    export const timed = r.middleware.task<{ ttl: number }>("timed").dependencies({ paid }).run(async ({ next }) => next()).build();
    export const traced = r.middleware.resource("traced").run(async ({ next }) => next()).build();
    export const pay = r.task("pay").dependencies({ paid, missing, user }).middleware([timed.with({ ttl: 1 })]).throws([missing])
      .run(async (input: { id: number }, injected) => ({ input, injected })).build();
    export const rows = r.task("rows").stream(async function* (input: number) { yield { input }; return true; }).build();
    export const sum = r.task("sum").itemInput<number>().run(async (_input, _injected, { items }) => [items]).build();
    export const phantom = r.task.phantom<number, string>("phantom").build();
    export const phantomRows = r.task.phantom.stream<number, { input: number }, boolean>("phantomRows").build();
    export const phantomSum = r.task.phantom<number, string>("phantomSum").itemInput<number>().build();
    export const phantomBoth = r.task.phantom.stream<number, string>("phantomBoth").itemInput<number>().build();
    export const remotePay = r.task.phantom.of<typeof pay>("pay");
    export const remoteRows = r.task.phantom.of<typeof rows>("rows", { streams: true });
    export const hook = r.hook("hook").on([paid]).dependencies({ pay }).run(async () => {}).build();
    export const payments = r.resource<{ port: number }>("payments")
      .dependencies({ pay, rows, sum, later: pay.optional(), paid, queue: globals.resources.queue, log: globals.resources.logger })
      .context(() => ({ open: 0 }))
      .init(async (config, injected, context) => ({ config, context, ...injected }))
      .build();
    export const fork = payments.fork("fork");
    export const registered = payments.with({ port: 1 });
    export const overridden = r.override(payments).init(async (config, injected) => ({ config, ...injected }) as never).build();
    export const app = r.resource("app").register([registered]).dependencies({ payments }).init(async (_config, injected) => injected).build();
    export const start = async () => run(app);
    export const client = createHttpClient({ baseUrl: "https://example.com/__runner" });`;
  const emitting = { noEmit: false, declaration: true, emitDeclarationOnly: true };

  expect(
    mistakesOf(
      { "main.ts": text },
      { ...resolutions[0]![1], ...emitting, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] },
    ),
  ).toEqual([]);
}, 60_000);

it("`await using` compiles for a run, a queue and a semaphore in a project whose lib is ES2022 and DOM", () => {
  const text = `
    import { Queue, Semaphore, r, run } from "@bluelibs/runner";
    export async function main(): Promise<void> {
      await using app = await run(r.resource("app").build());
      await using queue = new Queue();
      using semaphore = new Semaphore(1);
      void [app, queue, semaphore];
    }`;

  expect(
    mistakesOf({ "main.ts": text }, { ...resolutions[0]![1], lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] }),
  ).toEqual([]);
}, 60_000);

it("the enumerations of the `definitions` namespace are values and types, their members as well", () => {
  const text = `
    import { definitions } from "@bluelibs/runner";
    export const mode: definitions.RunnerMode = definitions.RunnerMode.PROD;
    export const production: definitions.RunnerMode.PROD = "prod";
    export const state: definitions.HookDependencyState = definitions.HookDependencyState.Ready;
    export const ready: definitions.HookDependencyState.Ready = "ready";`;

  expect(
    mistakesOf({ "main.ts": text }, { ...resolutions[0]![1], lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] }),
  ).toEqual([]);
}, 60_000);

it.each([
  ["@bluelibs/runner", "dist/index.d.ts"],
  ["@bluelibs/runner/edge", "dist/index.d.ts"],
  ["@bluelibs/runner/defs", "dist/index.d.ts"],
  ["@bluelibs/runner/node", "dist/node/index.d.ts"],
  ["@bluelibs/runner/otel", "dist/node/otel/index.d.ts"],
  ["@bluelibs/runner/nats", "dist/node/nats/index.d.ts"],
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
