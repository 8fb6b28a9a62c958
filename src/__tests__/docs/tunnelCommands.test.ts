import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tunnelCommands } from "../../node/cli/tunnel/tunnel";
import { root } from "../support/root";

const page = readFileSync(join(root, "readmes/REVERSE_TUNNEL_COMMANDS.md"), "utf8");
/** Named as below `runner tunnel`. */
const commands = tunnelCommands.map((command) => ({ ...command, name: command.name.replace(/^tunnel /, "") }));
const names = commands.map(({ name }) => name);
const flagsOf = (text: string): string[] => [...text.matchAll(/--([a-z-]+)/g)].map(([, flag = ""]) => flag);

/** Cells of the rows below a heading. */
function rowsBelow(heading: string): string[][] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) => row.split("|").map((cell) => cell.trim()));
}

/** Which commands a cell means: "all", "all but `a`", or "`a`, `b`". */
function commandsOf(cell: string): string[] {
  const listed = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  return cell.startsWith("all") ? names.filter((name) => !listed.includes(name)) : listed;
}

it("the page on commands has every command", () => {
  const documented = rowsBelow("Commands").map(([, cell = ""]) => cell.replace(/`/g, "").replace(/ <.*/, ""));

  expect(documented).toEqual(names);
});

it("the page on commands has the options that each command takes, and no other", () => {
  const documented = rowsBelow("Options").flatMap(([, option = "", of = ""]) =>
    commandsOf(of).flatMap((name) => flagsOf(option).map((flag) => `${name} --${flag}`)),
  );
  const taken = commands.flatMap(({ name, flags }) => Object.keys(flags).map((flag) => `${name} --${flag}`));

  expect(documented.toSorted()).toEqual(taken.toSorted());
});

it("examples of commands, on the page and in their help, use options that exist, and help shows all of them", () => {
  const inFences = [...page.matchAll(/^npx @bluelibs\/runner tunnel .*$/gm)].map(([line]) => line);
  const wrong = [...inFences, ...commands.map(({ example }) => example)].filter((line) => {
    const [, given = ""] = line.split("runner tunnel ");
    const command = commands.find(({ name }) => given === name || given.startsWith(`${name} `));
    return command === undefined || flagsOf(given).some((flag) => command.flags[flag] === undefined);
  });
  const helpless = commands.filter(({ help, flags, example }) =>
    [...Object.keys(flags).map((flag) => `--${flag}`), example].some((text) => !help.includes(text)),
  );

  expect(inFences.length).toBeGreaterThan(3);
  expect(wrong).toEqual([]);
  expect(helpless).toEqual([]);
});
