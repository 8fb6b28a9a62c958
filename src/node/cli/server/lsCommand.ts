import { defineCommand } from "../command/command";
import { formatTable } from "../command/table";
import { ExitCode } from "../exitCodes";
import { nameType } from "./nameType";
import { discoverServer } from "./connectServer";
import { readServer, serverFlags, serverPositional } from "./serverAddress";

export const lsCommand = defineCommand({
  name: "ls",
  about: "Lists the tasks and events that may be called, with their types where the server shows schemas.",
  positionals: [serverPositional],
  needed: ["token"],
  flags: serverFlags,
  example: "npx @bluelibs/runner ls https://api.example.com/__runner --token s3cret",
  async run({ values, positionals: [url = ""], output }) {
    const { allowList, contract } = await discoverServer(readServer(url, values));
    const { tasks = {}, events = {} } = { ...contract?.lock };
    const rows = [
      ...allowList.tasks.map((id) => ({ kind: "task", id, ...tasks[id] })),
      ...allowList.events.map((id) => ({ kind: "event", id, ...events[id] })),
    ];
    if (output.isJson) {
      for (const row of rows) output.print(JSON.stringify(row));
      return ExitCode.ok;
    }
    if (rows.length === 0) {
      const reason = allowList.enabled ? "Its tunnels name nothing that you may call." : "It has no server tunnel.";
      output.print(`Nothing can be called. ${reason}`);
      return ExitCode.ok;
    }
    const hasTypes = contract?.lock !== undefined;
    const titles = hasTypes ? ["KIND", "ID", "TAKES", "GIVES"] : ["KIND", "ID"];
    const cells = rows.map(({ kind, id, ...types }) => {
      const { input, payload, result, items, itemInput } = types as Partial<Record<string, never>>;
      const beside = itemInput === undefined ? "" : ` + ${nameType(itemInput)}...`;
      const gives = kind === "event" ? "" : items === undefined ? nameType(result) : `${nameType(items)}...`;
      return hasTypes ? [kind, id, nameType(input ?? payload) + beside, gives] : [kind, id];
    });
    output.print(formatTable(titles, cells));
    return ExitCode.ok;
  },
});
