import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder, startProgram } from "./project";

/** A running server of Next. */
export interface NextServer extends AsyncDisposable {
  readonly origin: string;
}

/** Builds and starts the application of Next in a folder of the project. */
export async function startNext(cwd: string): Promise<NextServer> {
  await writeFile(join(cwd, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // It checks the types of pages and routes with what the project has: where CI is set it installs no compiler of its own.
  // Its other bundler follows no links out of the project.
  const env = { CI: "1", NEXT_TELEMETRY_DISABLED: "1", IS_WEBPACK_TEST: "1" };
  const next = [process.execPath, join(projectFolder(), "node_modules/next/dist/bin/next")];
  await using building = startProgram([...next, "build", "--webpack"], { cwd, env });
  // Compared whole, so that a build that fails is shown with what it printed.
  expect((await building.ended) === 0 || building.output()).toBe(true);

  const server = startProgram([...next, "start", "--hostname", "127.0.0.1", "--port", "0"], { cwd, env });
  try {
    const origin = await server.line(/Local:\s+(http:\/\/\S+)/);
    return { origin, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
