import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contractCommands, openApiCommand } from "../../node/cli/contract/contractCommands";
import { eventsCommands } from "../../node/cli/events/eventsCommands";
import { serverCommands } from "../../node/cli/server/serverCommands";
import { root } from "../support/root";

const page = readFileSync(join(root, "readmes/COMMAND_LINE.md"), "utf8");
const commands = [...serverCommands, ...eventsCommands, ...contractCommands, openApiCommand];
const flagsOf = (text: string): string[] =>
  [...text.matchAll(/(?<=^|[\s`])--([a-z][a-z-]*)/g)].map(([, flag = ""]) => flag);
/** Each call of the command in a line of a shell. */
const callsIn = (line: string): string[] => line.split("npx @bluelibs/runner ").slice(1);

it("the page on the command line has every command that talks to servers, brokers and contracts", () => {
  const [, section = ""] = page.split("\n## Commands\n");
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| `"));
  const documented = rows.map((row) => /^\| `([a-z ]+?)(?: [<[…].*)?`/.exec(row)?.[1]);
  // One row stands for all that is done with dead letters.
  const expected = commands.map(({ name }) => name).filter((name) => !/^events dlq (replay|drop)$/.test(name));

  expect(documented.filter((name) => name !== "tunnel" && name !== "migrate check").toSorted()).toEqual(
    expected.toSorted(),
  );
  expect(rows.find((row) => row.includes("`events dlq list`"))).toMatch(/`replay`.*drop/);
});

it("options that the page on the command line names are options of a command", () => {
  const known = new Set(commands.flatMap(({ flags }) => Object.keys(flags)));
  const named = flagsOf(page);

  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((flag) => !known.has(flag))).toEqual([]);
});

it("examples of the command line, on its page and in help, use options that exist, and help shows all of them", () => {
  const onPage = page
    .split("\n")
    .filter((line) => !line.startsWith("`npx @bluelibs/runner …`"))
    .flatMap(callsIn);
  const wrong = [...onPage, ...commands.flatMap(({ example }) => callsIn(example))].filter((given) => {
    const command = commands.find(({ name }) => given === name || given.startsWith(`${name} `));
    return command === undefined || flagsOf(given).some((flag) => command.flags[flag] === undefined);
  });
  const helpless = commands.filter(({ help, flags, example }) =>
    [...Object.keys(flags).map((flag) => `--${flag}`), `Example: ${example}`].some((text) => !help.includes(text)),
  );

  expect(onPage.length).toBeGreaterThan(8);
  expect(wrong).toEqual([]);
  expect(helpless.map(({ name }) => name)).toEqual([]);
  expect(commands.map(({ name, example }) => [name, callsIn(example)[0]?.startsWith(name)])).toEqual(
    commands.map(({ name }) => [name, true]),
  );
});
