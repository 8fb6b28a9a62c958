import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSnippets } from "../support/readSnippets";
import { toProgram } from "../support/runSnippet";
import { projectFolder, startProgram } from "./support/project";
import { findRuntime, runtimeNames, type RuntimeName } from "./support/runtimes";

const [program] = readSnippets("README.md").filter(({ runs }) => runs);

const argumentsOf: Partial<Record<RuntimeName, readonly string[]>> = { Deno: ["run", "--quiet", "--allow-all"] };

it.each(runtimeNames.filter((name) => name !== "workerd"))(
  "the quick start of the README prints in %s what it says",
  async (name) => {
    const file = "quickStart.mjs";
    await writeFile(join(projectFolder(), file), toProgram(program?.code ?? ""));

    await using run = startProgram([findRuntime(name), ...(argumentsOf[name] ?? []), file]);

    expect(await run.ended).toBe(0);
    expect(run.output().trim().split("\n")).toContain(program?.output);
  },
);
