import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { tunnelCommands } from "../../node/cli/tunnel/tunnel";
import { startRelay } from "../support/relay/relay";
import { root } from "../support/root";

const page = readFileSync(join(root, "readmes/relay/PRODUCTION.md"), "utf8");
/** Named as below `runner tunnel`. */
const commands = tunnelCommands.map((command) => ({ ...command, name: command.name.replace(/^tunnel /, "") }));
const fencesOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)\n\`\`\`$`, "gm"))].map(([, code = ""]) => code);

it("alerts of the page on relays in production ask for metrics that a relay has", async () => {
  await using relay = await startRelay();
  const { data: metrics } = await relay.admin.getMetrics();
  const asked = fencesOf("yaml").flatMap((code) => [...code.matchAll(/hoody_tunnel_\w+/g)].map(([name]) => name));

  expect(asked.length).toBeGreaterThan(4);
  expect(asked.filter((name) => !metrics.includes(`# TYPE ${name} `))).toEqual([]);
});

it("commands of the page on relays in production use options that exist", () => {
  const given = [...page.matchAll(/npx @bluelibs\/runner tunnel ([^`\n]*)/g)].map(([, text = ""]) => text);
  const wrong = given.filter((text) => {
    const command = commands.find(({ name }) => text === name || text.startsWith(`${name} `));
    return command === undefined || [...text.matchAll(/ --([a-z-]+)/g)].some(([, flag = ""]) => !command.flags[flag]);
  });

  expect(given.length).toBeGreaterThan(4);
  expect(wrong).toEqual([]);
});

it("units of the page on relays in production have the sections and lines of a unit, and more time than a drain takes", () => {
  const units = fencesOf("ini");
  for (const unit of units) {
    const lines = unit.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines.filter((line) => !/^(\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=\S.*)$/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("["))).toEqual(["[Unit]", "[Service]", "[Install]"]);
    expect(unit).toMatch(/^ExecStart=\//m);
  }

  expect(units).toHaveLength(2);
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(units[0] ?? "")?.[1])).toBeGreaterThan(30);
});

it("the container of the page on relays in production looks after the relay with a command that finds it", async () => {
  await using relay = await startRelay();
  const [file = ""] = fencesOf("dockerfile");
  const commands = [...file.matchAll(/CMD (\[.*\])$/gm)].map(([, list = ""]) => JSON.parse(list) as string[]);
  const [check = [], start] = commands;
  const [, ...args] = check.map((word) => word.replace("4040", String(relay.relay.port)));

  expect(start).toEqual(["node", "relay.mjs"]);
  await expect(promisify(execFile)(process.execPath, args)).resolves.toMatchObject({ stderr: "" });
  await relay[Symbol.asyncDispose]();
  await expect(promisify(execFile)(process.execPath, args)).rejects.toMatchObject({ code: 1 });
});
