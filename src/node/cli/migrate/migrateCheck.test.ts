import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { createTempProject, type TempProject } from "../../../__tests__/support/tempProject";
import { root } from "../../../__tests__/support/root";
import type { MigrationReport } from "./report";

beforeAll(ensureBuilt, buildTimeoutMs);

let project: TempProject;
afterEach(() => project.remove());

/** `npx @bluelibs/runner …`, in the folder of the project. */
async function runner(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), ...args], { cwd: project.folder });
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await closed) as [number];
  return { exitCode, stdout, stderr };
}

async function check(...args: string[]): Promise<{ exitCode: number; report: MigrationReport }> {
  const { exitCode, stdout } = await runner("migrate", "check", "--json", ...args);
  return { exitCode, report: JSON.parse(stdout) as MigrationReport };
}

const briefly = ({ findings }: MigrationReport) =>
  findings.map(({ rule, message, file, line }) => `${rule} ${file ?? "-"}:${line ?? "-"} ${message}`);

/** An application without a reason to change anything. */
const tidy = `
  import { r, run } from "@bluelibs/runner";
  const db = r.resource("shop.db").init(async () => "open").dispose(async () => {}).build();
  const list = r.task("shop.tasks.list").dependencies({ db }).run(async (_input, { db }) => db).build();
  const app = r.resource("shop").register([db, list]).build();
  await run(app);
`;

describe("what the command finds", () => {
  it("migrate check exits with 0 where an application has nothing to do, and says so", async () => {
    project = createTempProject({ "main.js": tidy });

    const { exitCode, stdout } = await runner("migrate", "check", "main.js");

    expect(exitCode).toBe(0);
    expect(stdout).toContain("Nothing to do.");
    expect(stdout).toContain('dry run of "shop" (run(...) of main.js)');
  });

  it("migrate check finds imports that this version has elsewhere or not at all, by file and line", async () => {
    project = createTempProject({
      "main.js": tidy,
      "src/server.ts": [
        'import { nodeExposure, type InputFile, Store, RunResult } from "@bluelibs/runner";',
        'import type { ITask } from "@bluelibs/runner";',
        'import * as runner from "@bluelibs/runner";',
        'import { Task } from "@bluelibs/runner/dist/defs";',
        "export const store = new Store();",
        "export type Result = RunResult<number>;",
        "export const smart = runner.createHttpSmartClient({ baseUrl: '/__runner' });",
      ].join("\n"),
      "src/durable.cjs": 'const { RedisStore } = require("@bluelibs/runner/node");\nmodule.exports = RedisStore;',
      "node_modules/other/index.js": 'import { nodeExposure } from "@bluelibs/runner";',
    });

    const { exitCode, report } = await check("main.js");

    expect(exitCode).toBe(1);
    expect(briefly(report)).toEqual([
      'notExported src/durable.cjs:1 "RedisStore" is not exported by "@bluelibs/runner/node" in this version.',
      'movedToNode src/server.ts:1 "nodeExposure" is exported by "@bluelibs/runner/node" alone; 5.x had it in the main entry under Node, too.',
      'typeOnly src/server.ts:1 "Store" is a type in this version and cannot be constructed.',
      'movedToNode src/server.ts:7 "createHttpSmartClient" is exported by "@bluelibs/runner/node" alone; 5.x had it in the main entry under Node, too.',
      'noSuchEntry src/server.ts:4 "@bluelibs/runner/dist/defs" is no entry of this version.',
    ]);
  });

  it("migrate check finds members of globals that this version has elsewhere or not at all", async () => {
    project = createTempProject({
      "main.js": tidy,
      "clients.js": [
        'import { globals as g } from "@bluelibs/runner";',
        "export const smart = () => g.resources.httpSmartClientFactory;",
        "export const logger = () => g.resources.loger;",
        "export const cron = () => g.cron.levels;",
        "export const fine = () => [g.tags.tunnel.id, g.resources.store, g.debug.levels.normal];",
      ].join("\n"),
    });

    const { report } = await check("main.js");

    expect(briefly(report)).toEqual([
      'movedToNode clients.js:2 "globals.resources.httpSmartClientFactory" is part of the globals of "@bluelibs/runner/node" alone.',
      'noSuchBuiltin clients.js:3 "globals.resources.loger" is not part of this version.',
      'noSuchBuiltin clients.js:4 "globals.cron" is not part of this version.',
    ]);
    expect(report.findings[1]?.fix).toBe('did you mean "logger"?');
  });

  it("migrate check reports every problem of the boot at once, where the definition at fault is made", async () => {
    project = createTempProject({
      "main.js": `
        import { r, run } from "@bluelibs/runner";
        import { pay } from "./pay.js";
        const child = r.resource("shop").build();
        const app = r.resource("shop").register([child, pay]).build();
        await run(app, { initMode: "eager" });
      `,
      "pay.js": [
        'import { r } from "@bluelibs/runner";',
        'const paid = r.event("shop.events.paid").build();',
        'const bank = r.resource("shop.bank").build();',
        'export const pay = r.task("shop.tasks.pay")',
        "  .dependencies({ paid, bank }).run(async () => {}).build();",
      ].join("\n"),
    });

    const { exitCode, report } = await check("main.js");

    expect(exitCode).toBe(1);
    expect(report.findings.map(({ rule, error, file, line }) => [rule, error, file, line])).toEqual([
      ["runOption", undefined, "main.js", 4],
      ["boot", "runner.errors.duplicateRegistration", "main.js", 4],
      ["boot", "runner.errors.dependencyNotFound", "pay.js", 4],
      ["boot", "runner.errors.dependencyNotFound", "pay.js", 4],
    ]);
    expect(report.findings.every(({ fix, rule }) => rule === "runOption" || fix !== undefined)).toBe(true);
  });

  it("migrate check lists what an application does differently without an error", async () => {
    project = createTempProject({
      "main.js": `
        import { r, run } from "@bluelibs/runner";
        const open = (id) => r.resource(id).init(async () => id).dispose(async () => {});
        const db = open("shop.db").build();
        const cache = open("shop.cache").build();
        const ordered = r.event("shop.events.ordered").build();
        const lost = r.event("shop.events.lost").build();
        const first = r.hook("shop.hooks.first").on(ordered).run(async () => {}).build();
        const second = r.hook("shop.hooks.second").on(ordered).run(async () => {}).build();
        const other = r.hook("shop.hooks.other").on(ordered).order(1).run(async () => {}).build();
        const fakeDb = r.override(db).init(async (config) => config).build();
        const inner = r.resource("shop.inner").overrides([fakeDb]).build();
        const app = r.resource("shop")
          .register([db.with({ url: "pg://" }), cache, ordered, first, second, other, inner])
          .overrides([r.override(db).init(async () => "test").build()])
          .dependencies({ cache })
          .build();
        run(app, { debug: "verbose" }).then(({ emitEvent }) => emitEvent(lost));
      `,
    });

    const { exitCode, report } = await check("main.js");

    expect(exitCode).toBe(1);
    expect(briefly(report)).toEqual([
      'keptConfig main.js:4 "shop.db" is overridden by "shop.inner" and keeps the config it was registered with; 5.x passed none.',
      'keptConfig main.js:4 "shop.db" is overridden by "shop" and keeps the config it was registered with; 5.x passed none.',
      'severalOverrides main.js:4 "shop.db" is overridden by "shop.inner", "shop"; the outermost resource wins, which is "shop". In 5.x it could be another.',
      'hookOrder main.js:8 Hooks of "shop.events.ordered" with the order 0 run as registered: "shop.hooks.first", "shop.hooks.second". 5.x ran them in reverse.',
      "disposeOrder main.js:4 Resources are disposed of in another order. 5.2: shop.cache, shop.db; now: shop.db, shop.cache.",
      'unregisteredEvent main.js:7 The event "shop.events.lost" is not registered: emitting it rejects, where 5.x ran the hooks of every event.',
    ]);
    expect(new Set(report.findings.map(({ severity }) => severity))).toEqual(new Set(["silent"]));
  });
});

describe("how the command finds the root", () => {
  const root = `
    import { r } from "@bluelibs/runner";
    export const part = r.resource("shop.part").build();
    export const app = r.resource("shop").register([part]).build();
  `;

  it("migrate check takes the one exported resource that no other exported resource registers", async () => {
    project = createTempProject({ "app.js": root });

    const { exitCode, report } = await check("app.js");

    expect([exitCode, report.roots]).toEqual([0, [{ id: "shop", from: "app" }]]);
  });

  it("migrate check takes the export that is named, with the config it carries", async () => {
    project = createTempProject({ "app.js": `${root} export const configured = part.with({ a: 1 });` });

    const { report } = await check("app.js", "--export", "configured");

    expect(report.roots).toEqual([{ id: "shop.part", from: "configured" }]);
  });

  it("migrate check asks which one is meant where several could be the root", async () => {
    project = createTempProject({ "app.js": `${root} export const other = r.resource("other").build();` });

    const { exitCode, report } = await check("app.js");

    expect(exitCode).toBe(2);
    expect(report.refusal).toBe(
      'The entry exports several resources that could be the root; say which one with --export; it exports app ("shop"), other ("other").',
    );
  });

  it("migrate check says what is missing where the entry has no root", async () => {
    project = createTempProject({ "app.js": "export const create = () => 1;" });

    const { exitCode, report } = await check("app.js");

    expect(exitCode).toBe(2);
    expect(report.refusal).toContain("neither calls run(...) while it loads nor exports a resource");
  });

  it("migrate check reads the sources alone without an entry, and says that this is not all", async () => {
    project = createTempProject({ "app.js": 'import { nodeExposure } from "@bluelibs/runner";' });

    const { exitCode, report } = await check();

    expect([exitCode, briefly(report).length, report.roots]).toEqual([1, 1, []]);
    expect(report.notes).toEqual([expect.stringContaining("Without an entry there was no dry run")]);
  });
});

describe("what the command does to an application", () => {
  it("migrate check neither initialises, nor listens, nor runs what follows run(...)", async () => {
    project = createTempProject({
      "main.js": `
        import { writeFileSync } from "node:fs";
        import { createServer } from "node:http";
        import { r, run } from "@bluelibs/runner";
        import { nodeExposure } from "@bluelibs/runner/node";
        const trace = (name) => writeFileSync(name + ".trace", "");
        createServer().listen(0, () => trace("listening"));
        const app = r.resource("shop")
          .register([nodeExposure.with({ http: { listen: { port: 0 } } })])
          .init(async () => trace("initialised"))
          .build();
        await run(app);
        trace("after");
      `,
    });

    const { exitCode, report } = await check("main.js");

    expect([exitCode, report.roots.map(({ id }) => id)]).toEqual([0, ["shop"]]);
    const traces = ["listening", "initialised", "after"].filter((name) =>
      existsSync(join(project.folder, `${name}.trace`)),
    );
    expect(traces).toEqual([]);
  });

  it("migrate check tries the application on this version, whichever one is installed, in both module formats", async () => {
    const source = `
      const { r, run, nodeExposure } = require("@bluelibs/runner");
      const lost = r.event("shop.events.lost").build();
      const app = r.resource("shop").dependencies({ lost }).register([nodeExposure]).build();
      run(app);
    `;
    project = createTempProject({
      "package.json": JSON.stringify({ name: "shop", dependencies: { "@bluelibs/runner": "^5.2.0" } }),
      "main.js": source,
    });
    project.link("runner-52", "@bluelibs/runner");

    const { report } = await check("main.js");

    // 5.2 lets the event pass.
    expect(report.findings.map(({ rule }) => rule)).toEqual(["movedToNode", "boot"]);
    expect(report.installedRange).toBe("^5.2.0");
  });

  it("migrate check loads TypeScript by the loader that the application has", async () => {
    project = createTempProject({
      "package.json": JSON.stringify({ name: "shop" }),
      "main.ts": `
        import { r, run, type ITask } from "@bluelibs/runner";
        import { parts } from "./parts";
        const tasks: ITask[] = parts;
        void run(r.resource("shop").register(tasks).build());
      `,
      "parts.ts": `
        import { r } from "@bluelibs/runner";
        enum Name { Pay = "shop.tasks.pay" }
        const lost = r.task("shop.tasks.lost").run(async (): Promise<number> => 1).build();
        export const parts = [r.task(Name.Pay).dependencies({ lost }).run(async () => 1).build()];
      `,
    });
    project.link("esbuild-register");
    project.link("esbuild");

    const { exitCode, report } = await check("main.ts");

    expect([exitCode, report.refusal]).toEqual([1, undefined]);
    expect(report.findings.map(({ error, file }) => [error, file])).toEqual([
      ["runner.errors.dependencyNotFound", "parts.ts"],
    ]);
  });

  it("migrate check says what to install where nothing loads TypeScript", async () => {
    project = createTempProject({ "main.ts": tidy });

    const { exitCode, report } = await check("main.ts");

    // Node 22.18 and newer need no loader.
    const loads = Boolean((process.features as { typescript?: string | false }).typescript);
    expect(exitCode).toBe(loads ? 0 : 2);
    expect(report.refusal ?? "").toContain(loads ? "" : "install tsx, or name the compiled JavaScript");
  });
});

describe("entries that fail", () => {
  it.each([
    ["is not JavaScript", "const a = ;", "The entry cannot be loaded: Unexpected token ';'", "-"],
    ["throws", '\nthrow new Error("no DATABASE_URL");', "The entry cannot be loaded: no DATABASE_URL", "main.js:2"],
    ["lacks a file", 'import "./lost.js";', "The entry cannot be loaded: Cannot find module", "-"],
    ["ends the process", "process.exit(7);", "The entry called process.exit(7) before it called run(...).", "-"],
    [
      "kills the process",
      'process.kill(process.pid, "SIGKILL"); await new Promise(() => {});',
      "The process that loaded the entry ended with SIGKILL.",
      "-",
    ],
  ])("entries that fail are reported when the entry %s", async (_how, source, message, place) => {
    project = createTempProject({ "main.js": source });

    const { exitCode, report } = await check("main.js", "--timeout", "30");

    const [finding] = report.findings;
    expect(exitCode).toBe(1);
    expect(finding?.message.startsWith(message)).toBe(true);
    expect(finding?.file === undefined ? "-" : `${finding.file}:${finding.line}`).toBe(place);
  });

  it("entries that fail are reported when the entry never finishes loading", async () => {
    project = createTempProject({ "main.js": "console.log('busy'); for (;;);" });

    const checkWithin = async (seconds: number) => {
      const { exitCode, report } = await check("main.js", "--timeout", String(seconds));
      return [exitCode, report.findings[0]?.message];
    };
    let [seconds, outcome] = [1, await checkWithin(1)];
    // A busy machine may need more for the process to begin.
    while (outcome[1] === `The entry did not finish loading within ${seconds} s.`) {
      seconds *= 4;
      outcome = await checkWithin(seconds);
    }

    expect(outcome).toEqual([1, `The entry did not finish loading within ${seconds} s. It printed: busy`]);
  });

  it("entries that fail do not keep the roots from being examined that were given to run before", async () => {
    project = createTempProject({ "main.js": `${tidy.replace("await run", "void run")} throw new Error("later");` });

    const { exitCode, report } = await check("main.js");

    expect([exitCode, report.roots.map(({ id }) => id)]).toEqual([0, ["shop"]]);
  });

  it("entries that fail cannot write control characters to the terminal", async () => {
    project = createTempProject({ "main.js": 'throw new Error("\\u001b[2J\\u0007gone");' });

    const { stdout } = await runner("migrate", "check", "main.js");

    expect(stdout).toContain("[2J");
    expect(/\p{Cc}/u.test(stdout.replaceAll("\n", ""))).toBe(false);
  });
});

describe("arguments", () => {
  it.each([
    [["migrate", "check", "lost.js"], 'There is no file "lost.js".'],
    [["migrate", "check", "."], '"." is no file'],
    [["migrate", "check", "package.json"], '"package.json" is neither JavaScript nor TypeScript.'],
    [["migrate", "check", "main.js", "main.js"], "One entry is checked at a time, got 2."],
    [["migrate", "check", "--colour"], "Unknown option '--colour'"],
    [["migrate", "check", "--export", "app"], "--export needs an entry."],
    [["migrate", "check", "main.js", "--timeout", "soon"], "--timeout must be a number of seconds up to 3600"],
    [["migrate"], "A command is needed after runner migrate. There is one: check."],
    [[], "A command is needed."],
  ])("arguments that make no sense exit with 2 and say why: %j", async (args, message) => {
    project = createTempProject({ "main.js": tidy });

    const { exitCode, stdout, stderr } = await runner(...args);

    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  it("arguments that ask for help or the version are answered with exit code 0", async () => {
    project = createTempProject({});

    const [help, version] = [await runner("migrate", "check", "--help"), await runner("--version")];

    expect([help.exitCode, help.stdout.split("\n", 1)[0]]).toEqual([
      0,
      "Usage: runner migrate check [entry] [options]",
    ]);
    expect([version.exitCode, /^\d+\.\d+\.\d+/.test(version.stdout)]).toEqual([0, true]);
  });
});
