import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

it("the command of an installed package starts by its name, and runs a relay until it is asked to end", async () => {
  const installed = join(process.env["RUNNER_PROJECT"] as string, "node_modules/@bluelibs/runner");
  const { bin } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
    bin: Record<string, string>;
  };
  // npm links commands of packages so.
  const command = join(installed, "../../runner");
  await symlink(join(installed, bin["runner"] as string), command);
  const child = spawn(command, ["tunnel", "relay", "--port", "0", "--token", "s3cret", "--json"]);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { event, url } = JSON.parse(line) as Record<string, string>;
  const health = await fetch(`${url}/api/v1/tunnel/health`);
  await health.text();
  child.kill("SIGTERM");

  expect([event, health.status]).toEqual(["listening", 200]);
  expect(await once(child, "close")).toEqual([0, null]);
});
