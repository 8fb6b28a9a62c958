import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder, startProgram } from "./support/project";
import { findRuntime, type RuntimeName } from "./support/runtimes";

/** What `import` and `require` of one entry give. */
const comparing = `
  import { createRequire } from "node:module";
  import * as imported from "@bluelibs/runner";
  const required = createRequire(import.meta.url)("@bluelibs/runner");
  const helper = imported.r.error("app.errors.any").build();
  const thrown = required.r.error("app.errors.any").build().create({ message: "thrown by the other copy" });
  console.log(JSON.stringify({
    isSameObject: imported.r === required.r,
    isRecognised: helper.is(thrown),
    isInstance: new required.TunnelError("A", "b") instanceof imported.TunnelError,
  }));`;

// Bun takes the CommonJS files for `require`, whatever else `exports` offers.
it.each<[RuntimeName, boolean]>([
  ["Node 20", true],
  ["Node 22", true],
  ["Node 24", true],
  ["Deno", true],
  ["Bun", false],
])(
  "%s gives import and require the same object: %s, and either recognises the other's errors",
  async (name, isSame) => {
    await writeFile(join(projectFolder(), "identity.mjs"), comparing);
    const args = name === "Deno" ? ["run", "--quiet", "--allow-all"] : [];

    await using run = startProgram([findRuntime(name), ...args, "identity.mjs"]);

    expect(JSON.parse(await run.line(/^(\{.*\})$/))).toEqual({
      isSameObject: isSame,
      isRecognised: true,
      isInstance: true,
    });
  },
);
