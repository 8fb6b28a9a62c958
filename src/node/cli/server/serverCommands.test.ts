import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { z } from "zod";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startExposure, token, type TestExposure } from "../../../__tests__/support/exposure";
import { freePort } from "../../../__tests__/support/freePort";
import { runRunner as runner } from "../../../__tests__/support/runnerCommand";
import { createTempProject } from "../../../__tests__/support/tempProject";
import { r, type InputFile } from "../../index";
import { UsageError } from "../usageError";
import { runServerCommand } from "./serverCommands";

const charge = r
  .task("shop.tasks.charge")
  .inputSchema(z.object({ amount: z.number(), at: z.date().optional() }))
  .resultSchema(z.object({ receipt: z.string(), at: z.date() }))
  .run(async ({ amount, at = new Date(0) }) => ({ receipt: `r${amount}`, at }))
  .build();
const poor = r
  .error("shop.errors.poor")
  .dataSchema(z.object({ missing: z.number() }))
  .build();
const fail = r
  .task("shop.tasks.fail")
  .throws([poor])
  .run(async () => poor.throw({ missing: 3 }))
  .build();
const sizeOf = r
  .task("shop.tasks.size")
  .run(async ({ scan }: { scan: InputFile<Readable> }) => {
    let bytes = 0;
    for await (const chunk of scan.stream() as AsyncIterable<Buffer>) bytes += chunk.length;
    return [scan.name, bytes];
  })
  .build();
const report = r
  .task("shop.tasks.report")
  .run(async () => Readable.from([Buffer.from("first "), Buffer.from("second")]))
  .build();
const rows = r
  .task("shop.tasks.rows")
  .stream(async function* ({ count }: { count: number }) {
    for (let row = 1; row <= count; row += 1) yield { row };
    return { total: count };
  })
  .build();
const charged = r
  .event("shop.events.charged")
  .payloadSchema(z.object({ amount: z.number() }))
  .build();
const served = [charge, fail, sizeOf, report, rows, charged];

const start = () => startExposure(served, { contract: "schemas", openapi: "/openapi.json" }, [poor]);
const urlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;
const env = { RUNNER_TOKEN: token };

beforeAll(ensureBuilt, buildTimeoutMs);

describe("runner ls and runner call", () => {
  it("list what may be called, with types for people and one object a line for programs", async () => {
    await using exposure = await start();
    const people = await runner(["ls", urlOf(exposure)], { env });
    const programs = await runner(["ls", urlOf(exposure), "--json", "--token", token]);

    expect(people.stdout.split("\n")[1]).toMatch(
      /^task {3}shop\.tasks\.charge {3,}{ amount: number, at\?: Date } +{ receipt: string, at: Date }$/,
    );
    const rows = programs.stdout.trim().split("\n");
    expect(rows.map((row) => JSON.parse(row) as object)).toMatchObject([
      ...served.slice(0, 5).map(({ id }) => ({ kind: "task", id })),
      { kind: "event", id: "shop.events.charged", payload: { required: ["amount"] } },
    ]);
    expect([people.exitCode, programs.exitCode]).toEqual([0, 0]);
  });

  it("keep what a server sends from controlling the terminal, in tables, JSON, results and messages", async () => {
    const evil = "\x1b]0;owned\x07\x1b[2J\r\u009b31m\u202etxt.\u2066\u2028";
    const allowList = { enabled: true, tasks: [`task${evil}`], events: [] };
    const replies: Record<string, [status: number, body: unknown]> = {
      "/__runner/discovery": [200, { ok: true, result: { allowList } }],
      "/__runner/task/works": [200, { ok: true, result: { [evil]: evil } }],
      "/__runner/task/fails": [
        500,
        { ok: false, error: { message: evil, code: evil, id: evil, data: { [evil]: evil } } },
      ],
      "/refused/discovery": [401, { ok: false, error: { message: evil, code: evil } }],
    };
    const server = createServer((req, res) => {
      const [status, body] = replies[req.url ?? ""] ?? [404, {}];
      res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const lines = [
      ["ls", `${origin}/__runner`],
      ["call", `${origin}/__runner`, "works"],
      ["call", `${origin}/__runner`, "fails"],
      ["doctor", `${origin}/refused`],
    ];

    const printed = await Promise.all(lines.flatMap((line) => [runner(line), runner([...line, "--json"])]));
    server.close();

    // eslint-disable-next-line no-control-regex -- what must not be printed
    const controlling = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
    for (const { stdout, stderr } of printed) expect(stdout + stderr).not.toMatch(controlling);
    expect(JSON.parse(printed[1]?.stdout ?? "")).toMatchObject({ id: `task${evil}` });
    expect(JSON.parse(printed[3]?.stdout ?? "")).toEqual({ [evil]: evil });
  });

  it("list more tasks than a call takes arguments", async () => {
    const tasks = Array.from({ length: 200_000 }, (_, index) => `t${index}`);
    const server = createServer((_req, res) => {
      const body = { ok: true, result: { allowList: { enabled: true, tasks, events: [] } } };
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");

    const { exitCode, stdout } = await runner(["ls", `http://127.0.0.1:${(server.address() as AddressInfo).port}/r`]);
    server.close();

    expect([exitCode, stdout.split("\n").length]).toEqual([0, tasks.length + 2]);
  });

  it("call a task with what an argument or standard input holds, in the form that the serializer writes", async () => {
    await using exposure = await start();
    const given = await runner(["call", urlOf(exposure), charge.id, '{"amount":5}'], { env });
    const at = { __type: "Date", value: "2020-01-02T03:04:05.000Z" };
    const piped = await runner(["call", urlOf(exposure), charge.id, "-"], {
      env,
      input: JSON.stringify({ amount: 6, at }),
    });

    expect(JSON.parse(given.stdout)).toEqual({
      receipt: "r5",
      at: { __type: "Date", value: "1970-01-01T00:00:00.000Z" },
    });
    expect(JSON.parse(piped.stdout)).toEqual({ receipt: "r6", at });
  });

  it("send files, and write bytes to standard output or to a file", async () => {
    await using exposure = await start();
    const project = createTempProject({ "scan.txt": "four" });
    const path = join(project.folder, "report.txt");
    const sent = await runner(["call", urlOf(exposure), sizeOf.id, "--file", "scan=scan.txt"], {
      env,
      cwd: project.folder,
    });
    const printed = await runner(["call", urlOf(exposure), report.id], { env });
    const written = await runner(["call", urlOf(exposure), report.id, "-o", path], { env });
    const saved = readFileSync(path, "utf8");
    project.remove();

    expect(JSON.parse(sent.stdout)).toEqual(["scan.txt", 4]);
    expect(printed.stdout).toBe("first second");
    expect([saved, written.stdout]).toEqual(["first second", ""]);
  });

  it("print the items of a streamed task a line each, and what it returns on standard error", async () => {
    await using exposure = await start();
    const { stdout, stderr } = await runner(["call", urlOf(exposure), rows.id, '{"count":3}'], { env });

    expect(stdout).toBe('{"row":1}\n{"row":2}\n{"row":3}\n');
    expect(stderr).toBe('{"total":3}\n');
  });

  it("fail with the code, the id and the data of a declared error, and with an exit code for each kind of refusal", async () => {
    await using exposure = await start();
    const url = urlOf(exposure);
    const declared = await runner(["call", url, fail.id, "--json"], { env });
    const [unlisted, unauthorized, absent] = await Promise.all([
      runner(["call", url, "shop.tasks.nope"], { env }),
      runner(["call", url, charge.id, "--token", "wr0ng-s3cret"]),
      runner(["ls", `http://127.0.0.1:${await freePort()}`], { env }),
    ]);

    expect(declared.exitCode).toBe(1);
    expect(JSON.parse(declared.stderr)).toMatchObject({ error: { id: "shop.errors.poor", data: { missing: 3 } } });
    expect([unlisted.exitCode, unlisted.stderr]).toEqual([
      3,
      "Task shop.tasks.nope not exposed. `runner ls` lists what may be called.\n",
    ]);
    expect(unauthorized.exitCode).toBe(3);
    expect(unauthorized.stderr).toContain("Check --token, or RUNNER_TOKEN.");
    expect(unauthorized.stderr).not.toContain("wr0ng");
    expect([absent.exitCode, absent.stderr]).toEqual([5, expect.stringContaining("cannot be reached")]);
  });
});

describe("A server that is not what it says", () => {
  it("is told so by every command that reads its contract", async () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    const lock = `{"lock":1,"hash":"h","tasks":{"t":{"hash":"h","throws":[],"input":{"enum":${deep}}}},"events":{}}`;
    const allowList = '{"enabled":true,"tasks":["t"],"events":[]}';
    const body = `{"ok":true,"result":{"allowList":${allowList},"contract":{"hash":"h","tasks":{},"events":{},"lock":${lock}}}}`;
    const server = createServer((_req, res) => res.end(body)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told = await Promise.all(
      [
        ["ls", url],
        ["openapi", url],
        ["contract", "pull", url],
      ].map((args) => runner(args)),
    );
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));

    const message = "The contract of the server cannot be read: It is nested deeper than 200 levels.\n";
    expect(told.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([1, 2, 3].map(() => [1, message]));
  });
});

describe("runner contract and runner openapi", () => {
  it("write the contract of a server to a file, and find nothing changed", async () => {
    await using exposure = await start();
    const project = createTempProject({});
    const lock = join(project.folder, "shop.lock.json");
    const pulled = await runner(["contract", "pull", urlOf(exposure), "-o", lock], { env });
    const checked = await runner(["contract", "check", lock, urlOf(exposure)], { env });
    const document = await runner(["openapi", urlOf(exposure), "--title", "Shop"], { env });
    project.remove();

    expect(pulled.stdout).toMatch(/^5 tasks and 1 event written to .*shop\.lock\.json \([\w-]{16}\)\.\n$/);
    expect([checked.exitCode, checked.stdout]).toEqual([0, "Nothing changed.\n"]);
    expect(JSON.parse(document.stdout)).toMatchObject({
      openapi: "3.1.0",
      info: { title: "Shop" },
      paths: { "/task/shop.tasks.charge": { post: {} } },
    });
  });

  it("write the document that http.openapi serves", async () => {
    await using exposure = await start();
    const document = await runner(["openapi", urlOf(exposure), "--server", "/__runner"], { env });
    const headers = { "x-runner-token": token };
    const served = await fetch(`http://127.0.0.1:${exposure.port}/openapi.json`, { headers });

    expect(JSON.parse(document.stdout)).toEqual(await served.json());
  });

  it("have the calls of a document go to where the exposure is, also where the URL given has no path", async () => {
    await using exposure = await start();
    const project = createTempProject({});
    const path = join(project.folder, "openapi.json");
    const written = await runner(["openapi", `http://127.0.0.1:${exposure.port}/`, "-o", path], { env });
    const { servers } = JSON.parse(readFileSync(path, "utf8")) as { servers: object[] };
    project.remove();

    expect([written.exitCode, written.stdout]).toEqual([0, `Written to ${path}.\n`]);
    expect(servers).toEqual([{ url: urlOf(exposure) }]);
  });

  it("read the contract off an application that does not run", async () => {
    const project = createTempProject({
      "main.js": `
        import { r, run } from "@bluelibs/runner";
        const list = r.task("shop.tasks.list").inputSchema({ parse: (value) => value }).run(async () => []).build();
        const hidden = r.task("shop.tasks.hidden").run(async () => 1).build();
        const open = r.tunnel.server("shop.open").tasks([list]).build();
        const app = r.resource("shop").register([list, hidden, open]).build();
        await run(app);
      `,
      "closed.js": `
        import { r } from "@bluelibs/runner";
        export const app = r.resource("shop").build();
      `,
    });
    const pulled = await runner(["contract", "pull", "main.js"], { cwd: project.folder });
    const toFile = await runner(["contract", "pull", "main.js", "-o", "a.json"], { cwd: project.folder });
    const closed = await runner(["contract", "pull", "closed.js"], { cwd: project.folder });
    const none = existsSync(join(project.folder, "a.json"));
    project.remove();

    const lock = JSON.parse(pulled.stdout) as { tasks: Record<string, unknown> };
    expect(Object.keys(lock.tasks)).toEqual(["shop.tasks.list"]);
    expect([toFile.stderr, none]).toEqual([
      "Not described, since their schemas have no JSON Schema: shop.tasks.list.\n",
      true,
    ]);
    expect([closed.exitCode, closed.stderr]).toEqual([
      1,
      'No server tunnel of "shop" says what may be called: register r.tunnel.server(...).tasks([...]).\n',
    ]);
  });

  it("say what changed between two locks, by exit codes 10, 11 and 12", async () => {
    const project = createTempProject({});
    const lockOf = (name: string, input: object, more: object = {}): string => {
      const path = join(project.folder, name);
      const task = { input, throws: [], hash: JSON.stringify(input) };
      writeFileSync(path, JSON.stringify({ lock: 1, hash: name, tasks: { t: task, ...more }, events: {} }));
      return path;
    };
    const older = lockOf("old.json", { type: "string" });
    const [breaking, adding, unsure] = await Promise.all([
      runner(["contract", "diff", older, lockOf("number.json", { type: "number" }), "--json"]),
      runner(["contract", "diff", older, lockOf("more.json", { type: "string" }, { u: { throws: [], hash: "u" } })]),
      runner(["contract", "diff", older, lockOf("pattern.json", { type: "string", pattern: "^a" })]),
    ]);
    project.remove();

    expect(breaking.exitCode).toBe(10);
    expect(
      breaking.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual([
      { level: "breaking", kind: "task", id: "t", message: "input /: string -> number" },
      { verdict: "breaking" },
    ]);
    expect([adding.exitCode, adding.stdout]).toEqual([11, "addition  task u: added\nEvery call goes on working.\n"]);
    expect([unsure.exitCode, unsure.stdout]).toEqual([12, expect.stringContaining("pattern changed")]);
  });

  it("check a lock against a server, and against the default export of an entry, by the exit codes of diff", async () => {
    const project = createTempProject({
      "main.js": `
        import { r } from "@bluelibs/runner";
        const list = r.task("shop.tasks.list").run(async () => []).build();
        export default r.resource("shop").register([list, r.tunnel.server("shop.open").tasks([list]).build()]).build();
      `,
    });
    await using exposure = await start();
    const pulled = await runner(["contract", "pull", urlOf(exposure)], { env });
    const lock = JSON.parse(pulled.stdout) as { tasks: Record<string, object> };
    const lockOf = (name: string, tasks: object): string => {
      writeFileSync(join(project.folder, name), JSON.stringify({ ...lock, tasks }));
      return join(project.folder, name);
    };
    const changed = (input: object) => ({ ...lock.tasks, [charge.id]: { ...lock.tasks[charge.id], input, hash: "h" } });
    const { [fail.id]: _one, ...fewer } = lock.tasks;
    const codeOf = async (tasks: object, name: string) =>
      (await runner(["contract", "check", lockOf(name, tasks), urlOf(exposure)], { env })).exitCode;
    const at = { type: "string", format: "time", "x-runner": "Date" };
    const formatted = { type: "object", properties: { amount: { type: "number" }, at }, required: ["amount"] };

    const codes = await Promise.all([
      codeOf(changed({ type: "object", properties: { amount: { type: "string" } } }), "breaking.json"),
      codeOf(fewer, "addition.json"),
      codeOf(changed(formatted), "unknown.json"),
    ]);
    await runner(["contract", "pull", "main.js", "-o", "entry.json"], { cwd: project.folder });
    const same = await runner(["contract", "check", "entry.json", "main.js"], { cwd: project.folder });
    const other = await runner(["contract", "check", "entry.json", urlOf(exposure)], { env, cwd: project.folder });
    project.remove();

    expect(codes).toEqual([10, 11, 12]);
    expect([same.exitCode, same.stdout]).toEqual([0, "Nothing changed.\n"]);
    expect([other.exitCode, other.stdout]).toEqual([10, expect.stringContaining("task shop.tasks.list: removed")]);
  });

  it("say how a server shows its schemas where it does not", async () => {
    await using exposure = await startExposure(served, { contract: "hashes" }, [poor]);
    const { exitCode, stderr } = await runner(["contract", "pull", urlOf(exposure)], { env });

    expect(exitCode).toBe(1);
    expect(stderr).toContain('nodeExposure.with({ http: { contract: "schemas" } })');
  });
});

/** Why a command line is refused. */
async function refusalOf(args: readonly string[]): Promise<string> {
  const [group = "", ...rest] = args;
  if (group === "contract") return (await runner(args)).stderr;
  try {
    await runServerCommand(group, rest);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "nothing";
}

it.each<[readonly string[], string]>([
  [["ls"], "runner ls takes <url>, got 0 arguments."],
  [["ls", "localhost:80"], "<url> must be an http or https URL, as http://127.0.0.1:7070/__runner."],
  [["ls", "http://a:h1dden@b"], "<url> must have no user name and password in it. Pass credentials by --token."],
  [["ls", "http://a/?x=h1dden"], "<url> must have no query and no fragment."],
  [["ls", "http://a", "--header", "h1dden"], '--header must be given as "name: value".'],
  [["ls", "http://a", "--timeout", "0"], '--timeout must be a whole number from 1 to 86400, got "0".'],
  [["ls", "http://a", "--tokn", "h1dden"], "There is no option --tokn. Did you mean --token?"],
  [["call", "http://a"], "runner call takes <url> <id> [<json>], got 1 arguments."],
  [["call", "http://a", "t", "{"], "<json> is no JSON: "],
  [["call", "http://a", "t", "--file", "scan"], "--file must be given as name=path."],
  [["call", "http://a", "t", "--file", "scan=missing.txt"], '--file "missing.txt" cannot be read: ENOENT'],
  [["call", "http://a", "t", "5", "--file", "a=package.json"], "--file a has no place: the input has no object there."],
  [["doctor", "http://a", "--origin", "app.example.com"], "--origin must be a scheme and a host"],
  [["contract", "pul", "http://a"], 'There is no command "contract pul". Did you mean "pull"?'],
  [["contract", "pull", "missing.js"], '"missing.js" is no http or https URL and no file.'],
  [["contract", "diff", "a.json"], "runner contract diff takes <old> <new>, got 1 arguments."],
  [["contract", "diff", "missing.json", "b.json"], 'The lock "missing.json" cannot be read: ENOENT'],
])("runner %j is refused by what is wrong and without its secrets", async (args, message) => {
  const refusal = await refusalOf(args);

  expect(refusal).toContain(message);
  expect(refusal).not.toContain("h1dden");
});
