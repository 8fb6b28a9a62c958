import { join } from "node:path";
import vm from "node:vm";
import { build } from "esbuild";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runProgram } from "../support/runProgram";
import { root } from "../support/root";

beforeAll(ensureBuilt, buildTimeoutMs);

/** Uses the universal entry; prints what came of it. */
const usesUniversal = `
  const { r, run, definitions } = await load("@bluelibs/runner");
  const failed = r.error("failed").build();
  const context = r.asyncContext("context").build();
  const event = r.event("event").build();
  const hook = r.hook("hook").on(event).run(async () => {}).build();
  const middleware = r.middleware.task("middleware").everywhere(true).run(async ({ next }) => next()).build();
  const task = r.task("task").inputSchema({ parse: (n) => n })
    .run(async (n) => (n < 0 ? failed.throw({ n }) : n * 2)).build();
  const database = r.resource("database").init(async () => 1).dispose(async () => console.log("disposed")).build();
  const items = [failed, context, event, hook, middleware, task, database];
  const app = await run(r.resource("app").register(items).build(), { logs: { printThreshold: null } });
  await app.emitEvent(event);
  const error = await app.runTask(task, -1).catch((thrown) => thrown);
  console.log(await app.runTask(task, 2), await context.provide("provided", async () => context.use()));
  console.log(error.name, failed.is(error), typeof task[definitions.symbolFilePath]);
  await app.dispose();
`;
const universalOutput = ["4 provided", "failed true string", "disposed"];

/** Calls an exposure with both kinds of Node clients. */
const usesNode = `
  const { r, run, globals, nodeExposure, createHttpMixedClient, createHttpSmartClient } =
    await load("@bluelibs/runner/node");
  const task = r.task("task").run(async (n) => n * 2).build();
  const tunnel = r.resource("tunnel").tags([globals.tags.tunnel])
    .init(async () => ({ transport: "http", mode: "server", tasks: ["task"] })).build();
  const auth = { token: "secret" };
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth } });
  const root = r.resource("app").register([task, tunnel, exposure]).build();
  const app = await run(root, { logs: { printThreshold: null } });
  const baseUrl = "http://127.0.0.1:" + app.getResourceValue(nodeExposure).server.address().port + "/__runner";
  const serializer = app.getResourceValue(globals.resources.serializer);
  for (const create of [createHttpMixedClient, createHttpSmartClient]) {
    const client = create({ baseUrl, auth, serializer });
    console.log(await client.task("task", 2));
    await client.close();
  }
  await app.dispose();
`;
const nodeOutput = ["4", "4"];

/** What a program does before it imports anything, by what it is called. */
const hardening = {
  "a read-only Error.stackTraceLimit":
    "Object.defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false, configurable: false });",
  "a read-only Error.prepareStackTrace":
    "Object.defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });",
  "no Error.captureStackTrace": "delete Error.captureStackTrace;",
};
const freezesBuiltins = `
  for (const each of [Object, Function, Array, Error, TypeError, AggregateError, Promise, Map, Set, Date, RegExp]) {
    Object.freeze(each);
    Object.freeze(each.prototype);
  }
`;

const flags = ["--frozen-intrinsics", "--disable-proto=throw", "--disallow-code-generation-from-strings"];

/** How a program loads an entry, by the format of the program. By its file: `require` of newer Nodes takes the ES module. */
const loads = {
  module: "(entry) => import(entry)",
  commonjs: `(entry) => {
    const { exports } = require("./package.json");
    return require(exports[entry.replace("@bluelibs/runner", ".")].require.default);
  }`,
};

const outputOf = async (program: string, format: keyof typeof loads, args: readonly string[] = []) => {
  const input = `(async () => { const load = ${loads[format]}; ${program} })();`;
  const { exitCode, stdout, stderr } = await runProgram([...args, `--input-type=${format}`, "-"], { input });
  return { exitCode, lines: stdout.trim().split("\n"), ...(exitCode !== 0 && { stderr }) };
};

describe("an application works", () => {
  it.each(flags)("an application works under node %s", async (flag) => {
    expect(await outputOf(usesUniversal, "module", [flag])).toEqual({ exitCode: 0, lines: universalOutput });
    expect(await outputOf(usesNode, "module", [flag])).toEqual({ exitCode: 0, lines: nodeOutput });
  });

  it.each(Object.entries(hardening))("an application works with %s, in both entries", async (_what, harden) => {
    expect(await outputOf(harden + usesUniversal, "module")).toEqual({ exitCode: 0, lines: universalOutput });
    expect(await outputOf(harden + usesNode, "module")).toEqual({ exitCode: 0, lines: nodeOutput });
  });

  it("an application works where the built-ins of the language are frozen", async () => {
    expect(await outputOf(freezesBuiltins + usesUniversal, "module")).toEqual({ exitCode: 0, lines: universalOutput });
  });

  it.each([
    ["under node --frozen-intrinsics", "", ["--frozen-intrinsics"]],
    ["with a read-only Error.stackTraceLimit", hardening["a read-only Error.stackTraceLimit"], []],
    ["in CommonJS", "", []],
  ])("an application that requires both entries works %s", async (_where, harden, args) => {
    const program = `${harden} await (async () => {${usesUniversal}})(); ${usesNode}`;
    const lines = [...universalOutput, ...nodeOutput];
    expect(await outputOf(program, "commonjs", args)).toEqual({ exitCode: 0, lines });
  });

  it.each(["module", "commonjs"] as const)("every entry loads with frozen built-ins of V8, as %s", async (format) => {
    const program = `
      ${hardening["a read-only Error.stackTraceLimit"]}
      for (const entry of ["errors", "otel", "platform/createFile", "edge", "node"])
        console.log(Object.keys(await load("@bluelibs/runner/" + entry)).length > 0);`;
    const lines = ["true", "true", "true", "true", "true"];
    expect(await outputOf(program, format, ["--frozen-intrinsics"])).toEqual({ exitCode: 0, lines });
  });

  it("an application works where there is the language, timers and AbortController, and nothing else", async () => {
    const { outputFiles } = await build({
      entryPoints: [join(root, "dist/index.js")],
      bundle: true,
      write: false,
      format: "iife",
      globalName: "runner",
      platform: "browser",
      logLevel: "silent",
    });
    const lines: unknown[] = [];
    const realm = vm.createContext({
      print: (line: unknown) => lines.push(line),
      setTimeout,
      clearTimeout,
      AbortController,
      AbortSignal,
    });
    vm.runInContext(
      "for (const name of ['FinalizationRegistry', 'WeakRef', 'console']) delete globalThis[name];",
      realm,
    );
    vm.runInContext(outputFiles[0]?.text ?? "", realm);

    await vm.runInContext(
      `(async () => {
        const { r, run, globals } = runner;
        const fetchImpl = async () => { throw new Error("offline"); };
        const event = r.event("event").build();
        const task = r.task("task").run(async (n) => n * 2).build();
        const user = r.resource("user")
          .dependencies({ task, event, queue: globals.resources.queue, client: globals.resources.httpClientFactory })
          .init(async (_config, { task, event, queue, client }) => {
            await event();
            await client({ baseUrl: "http://peer.example", fetchImpl }).task("x").catch((error) => print(error.name));
            return queue.run("one", () => task(2));
          })
          .dispose(async () => print("disposed")).build();
        const app = await run(r.resource("app").register([event, task, user]).build());
        print(app.getResourceValue(user));
        await app.dispose();
      })()`,
      realm,
    );

    expect(lines).toEqual(["Error", 4, "disposed"]);
  });
});
