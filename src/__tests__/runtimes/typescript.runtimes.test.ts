import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { mistakes, sentencesOfVersions, setup } from "../support/typeMistakes";
import { runtimesFolder } from "./support/runtimes";
import {
  compile,
  installBeside,
  packageOf,
  readProgram,
  strictOptions,
  versions,
  writeProject,
  type Version,
} from "./support/typescript";

/** What the declarations of the package refer to, some of it optional. */
const referredTo = ["zod", "@opentelemetry", "@nats-io", "jose"];
const programs = ["billing.ts", "caller.ts", "entries.ts"];

/** The programs of users, by the module resolution of their project. */
async function projectOf(kind: string, options: object): Promise<string> {
  const texts = await Promise.all(programs.map(async (name) => [name, await readProgram(name)] as const));
  const compilerOptions = { ...strictOptions, ...options };
  // Modules of Node are named with the extension that they have when they run.
  const written = texts.map(([name, text]) => [name, text.replace('"./billing"', '"./billing.js"')] as const);
  const folder = await writeProject(`types/${kind}`, {
    "package.json": JSON.stringify({ type: kind === "commonjs" ? "commonjs" : "module" }),
    "tsconfig.json": JSON.stringify({ compilerOptions, include: ["*.ts"] }),
    ...Object.fromEntries(written),
  });
  return folder;
}

/** Tasks with schemas of other libraries, whose own declarations are their business. */
async function schemasProject(compilerOptions: object): Promise<string> {
  const folder = await writeProject("types/schemas", {
    "package.json": JSON.stringify({ type: "module" }),
    "tsconfig.json": JSON.stringify({ compilerOptions, include: ["*.ts"] }),
    "schemas.ts": await readFile(join(runtimesFolder, "programs/schemas.ts"), "utf8"),
  });
  for (const name of ["@valibot", "arktype", "effect", "valibot"]) {
    await mkdir(join(folder, "node_modules"), { recursive: true });
    await symlink(join(runtimesFolder, "node_modules", name), join(folder, "node_modules", name), "dir");
  }
  return folder;
}

let projects: Record<"bundler" | "module" | "commonjs" | "schemas" | "mistakes", string>;
beforeAll(async () => {
  await installBeside(await writeProject("types", {}), referredTo);
  const compilerOptions = { ...strictOptions, module: "esnext", moduleResolution: "bundler", moduleDetection: "force" };
  projects = {
    bundler: await projectOf("bundler", { module: "esnext", moduleResolution: "bundler" }),
    module: await projectOf("module", { module: "node16", moduleResolution: "node16" }),
    commonjs: await projectOf("commonjs", { module: "node16", moduleResolution: "node16" }),
    schemas: await schemasProject({ ...compilerOptions, skipLibCheck: true }),
    mistakes: await writeProject("types/mistakes", {
      "tsconfig.json": JSON.stringify({
        // As a user's project that is strict, and no more.
        compilerOptions: { ...compilerOptions, exactOptionalPropertyTypes: false, skipLibCheck: true },
        include: ["*.ts"],
      }),
      "mistakes.ts": [setup, ...mistakes.map(([code]) => code)].join("\n"),
    }),
  };
}, 60_000);

/** What the compiler said of each line of the mistakes. */
function saidOf(output: string): Map<number, string> {
  const said = new Map<number, string>();
  let line: number | undefined;
  for (const text of output.split("\n")) {
    const [, at, message] = /^mistakes\.ts\((\d+),\d+\): error TS\d+: (.*)/.exec(text) ?? [];
    if (at !== undefined) line = Number(at);
    if (line !== undefined)
      said.set(line, [said.get(line), message ?? text].filter((part) => part !== undefined).join("\n"));
  }
  return said;
}

describe.each(versions)("TypeScript %s", (version: Version) => {
  it("is the version it is taken for", async () => {
    const manifest = JSON.parse(await readFile(join(packageOf(version), "package.json"), "utf8")) as {
      version: string;
    };

    expect(manifest.version.startsWith(`${version}.`)).toBe(true);
  });

  it.each(["bundler", "module", "commonjs"] as const)(
    "compiles callers, servers and every entry of the packed declarations, of which it checks all, in a project of kind %s",
    async (kind) => {
      expect(await compile(version, projects[kind])).toBe("");
    },
    180_000,
  );

  it("infers inputs from schemas of zod, arktype, valibot and effect", async () => {
    expect(await compile(version, projects.schemas)).toBe("");
  }, 180_000);

  it("says of each mistake, once, what is wrong", async () => {
    const said = saidOf(await compile(version, projects.mistakes));

    const first = setup.split("\n").length + 1;
    expect([...said.keys()]).toEqual(mistakes.map((_mistake, index) => first + index));
    for (const [index, [code, sentence]] of mistakes.entries()) {
      expect(said.get(first + index)).toContain(sentencesOfVersions[version]?.[code] ?? sentence);
    }
  }, 180_000);
});
