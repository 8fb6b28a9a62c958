import { copyFile, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support/root";
import { nodeCalls } from "./app/nodeCalls";
import { tryAll, type Report } from "./app/report";
import { expectedOfEntry, parseReport, startCalledServer } from "./support/describeCalls";
import { fileNameOf, readSections } from "./support/guidePage";
import { projectFolder, startProgram } from "./support/project";
import { runtimesFolder } from "./support/runtimes";

const sections = readSections("readmes/BUNDLING.md");
const fencesOf = (heading: string) => sections.get(heading) ?? [];

/** Every command of the page that bundles, with the configuration beside it. */
const bundles = ["esbuild", "tsup", "rollup", "webpack"].flatMap((tool) =>
  fencesOf(tool)
    .filter(({ language }) => language === "sh")
    .map(({ code }) => ({ command: code, tool, config: fencesOf(tool).find(({ language }) => language === "js") })),
);

/** Where the tools of the page are installed. */
const binaries: Record<string, string> = {
  esbuild: join(root, "node_modules/.bin/esbuild"),
  tsup: join(root, "node_modules/.bin/tsup"),
  rollup: join(runtimesFolder, "node_modules/.bin/rollup"),
  webpack: join(runtimesFolder, "node_modules/.bin/webpack"),
};

let bundled: string;
beforeAll(async () => void (bundled = await mkdtemp(join(tmpdir(), "runner-bundles-"))));
afterAll(() => rm(bundled, { recursive: true, force: true }));

/** An application in the project, whose programs are called server and client. */
async function createApplication(name: string): Promise<string> {
  const folder = join(projectFolder(), name);
  await mkdir(join(folder, "src"), { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  for (const [program, file] of Object.entries({ "serve.mjs": "server", "call.mjs": "client" })) {
    for (const extension of ["js", "ts"]) {
      await copyFile(join(projectFolder(), program), join(folder, `src/${file}.${extension}`));
    }
  }
  return folder;
}

async function runTool(command: string, folder: string): Promise<void> {
  const [npx, tool = "", ...args] = command.split(" ");
  expect(npx).toBe("npx");
  await using run = startProgram([binaries[tool] ?? "", ...args], { cwd: folder });
  if ((await run.ended) !== 0) throw new Error(run.output());
}

/** Copies a bundle to where nothing is installed; resolves with the paths of its programs. */
async function moveAway(dist: string, name: string): Promise<{ client: string; server: string }> {
  const folder = join(bundled, name);
  await cp(dist, folder, { recursive: true });
  const files = await readdir(folder);
  const pathOf = (program: string) => join(folder, files.find((file) => file.startsWith(`${program}.`)) ?? program);
  return { client: pathOf("client"), server: pathOf("server") };
}

const valuesOf = (report: Report): Record<string, unknown> =>
  Object.fromEntries(Object.entries(report).map(([name, { value, error }]) => [name, error ?? value]));

async function expectServing(command: readonly string[], cwd: string): Promise<void> {
  await using server = startProgram(command, { cwd });
  const baseUrl = await server.line(/^ready (.*)/);
  const report = await tryAll(nodeCalls({ baseUrl, redirectingUrl: baseUrl }, cwd));
  server.child.kill("SIGTERM");

  expect(valuesOf(report)).toEqual(expectedOfEntry["@bluelibs/runner/node"]);
  await server.line(/^released$/);
  expect(await server.ended).toBe(0);
}

it.each(bundles.map((each, index) => ({ ...each, index })))(
  "the guide to bundling bundles a client and a server that do all they do unbundled, with nothing installed: $command",
  async ({ command, tool, config, index }) => {
    const folder = await createApplication(`${tool}-${index}`);
    if (config) await writeFile(join(folder, fileNameOf(config) ?? ""), config.code);

    await runTool(command, folder);
    const { client, server } = await moveAway(join(folder, "dist"), `${tool}-${index}`);

    await using called = await startCalledServer();
    await using program = startProgram([process.execPath, client, JSON.stringify(called.address), command], {
      cwd: bundled,
    });
    expect(valuesOf(parseReport(await program.line(/^report (.*)/)))).toEqual({
      ...expectedOfEntry["@bluelibs/runner"],
      ...expectedOfEntry["@bluelibs/runner/node"],
    });
    await expectServing([process.execPath, server], bundled);
  },
  120_000,
);

it("the guide to bundling bundles with every tool of the page", () => {
  expect([...new Set(bundles.map(({ tool }) => tool))]).toEqual(Object.keys(binaries));
});

describe("the Dockerfile of the page", () => {
  const [dockerfile] = fencesOf("Docker");
  const stages = (dockerfile?.code ?? "").split(/^FROM .*$/m).slice(1);
  const instructions = stages.map((stage) =>
    [...stage.matchAll(/^(\w+) (.*)$/gm)].map(([, name = "", rest = ""]) => [name, rest] as const),
  );

  it("the Dockerfile of the page makes an image that serves, and ends on SIGTERM", async () => {
    const [build = [], final = []] = instructions;
    const context = await createApplication("docker");
    const image = join(bundled, "docker");
    await mkdir(image);

    const commands = build.filter(([name]) => name === "RUN").map(([, command]) => command);
    // What `npm ci` installs is the project's.
    for (const command of commands.filter((each) => each !== "npm ci")) await runTool(command, context);
    for (const [, sources] of final.filter(([name]) => name === "COPY")) {
      const [, source = "", target = ""] = /^--from=build \/app\/(\S+) (\S+)$/.exec(sources) ?? [];
      await cp(join(context, source), join(image, target), { recursive: true });
    }
    const command = JSON.parse(final.find(([name]) => name === "CMD")?.[1] ?? "") as string[];

    expect(commands).toContain("npm ci");
    expect(command[0]).toBe("node");
    await expectServing(command, image);
  });
});
