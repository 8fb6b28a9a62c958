import { payloadsOf, type LockedEvent, type LockedTask } from "../../../tunnels/contract/contractLock";
import type { JsonSchema } from "../../../tunnels/contract/jsonSchema";
import type { Discovery } from "../../../tunnels/contract/readDiscovery";
import { defineCommand } from "../command/command";
import { formatTable } from "../command/table";
import { ExitCode } from "../exitCodes";
import { nameType } from "./nameType";
import { discoverServer } from "./connectServer";
import { readServer, serverFlags, serverPositional } from "./serverAddress";

/** What a caller may do, and what it gives and gets by it, where the server shows that. */
interface Row {
  readonly kind: "task" | "event";
  readonly id: string;
  readonly may: string;
  /** As the contract of the server has it, and which access the caller has. */
  readonly entry: Partial<LockedTask> | Partial<LockedEvent>;
  readonly takes: string;
  readonly gives: string;
}

export const lsCommand = defineCommand({
  name: "ls",
  about:
    "Lists the tasks and events that may be called or listened to, with their types where the server shows schemas.",
  positionals: [serverPositional],
  needed: ["token"],
  flags: serverFlags,
  example: "npx @bluelibs/runner ls https://api.example.com/__runner --token s3cret",
  async run({ values, positionals: [url = ""], output }) {
    const discovery = await discoverServer(readServer(url, values));
    const { allowList, contract } = discovery;
    const rows = rowsOf(discovery);
    if (output.isJson) {
      for (const { kind, id, entry } of rows) output.print(JSON.stringify({ kind, id, ...entry }));
      return ExitCode.ok;
    }
    if (rows.length === 0) {
      const reason = allowList.enabled ? "Its tunnels name nothing that you may call." : "It has no server tunnel.";
      output.print(`Nothing can be called. ${reason}`);
      return ExitCode.ok;
    }
    const isHeard = (allowList.subscribable ?? []).length > 0;
    const hasTypes = contract?.lock !== undefined;
    const cellsOf = (may: string, types: readonly string[]) => [...(isHeard ? [may] : []), ...(hasTypes ? types : [])];
    const titles = ["KIND", "ID", ...cellsOf("MAY", ["TAKES", "GIVES"])];
    output.print(
      formatTable(
        titles,
        rows.map(({ kind, id, may, takes, gives }) => [kind, id, ...cellsOf(may, [takes, gives])]),
      ),
    );
    return ExitCode.ok;
  },
});

function rowsOf({ allowList, contract }: Discovery): readonly Row[] {
  const { tasks = {}, events = {} } = { ...contract?.lock };
  const emitted = new Set(allowList.events);
  const heard = new Set(allowList.subscribable);
  const rows = allowList.tasks.map((id) => taskRow(id, own(tasks, id) ?? {}));
  for (const id of new Set([...emitted, ...heard])) {
    const access = [...(emitted.has(id) ? ["emit" as const] : []), ...(heard.has(id) ? ["subscribe" as const] : [])];
    rows.push(eventRow(id, { ...own(events, id), ...(heard.has(id) && { access }) }));
  }
  return rows;
}

function taskRow(id: string, entry: Partial<LockedTask>): Row {
  const { input, result, items, itemInput } = entry;
  const beside = itemInput === undefined ? "" : ` + ${nameType(itemInput)}...`;
  const gives = items === undefined ? nameType(result) : `${nameType(items)}...`;
  return { kind: "task", id, may: "call", entry, takes: nameType(input) + beside, gives };
}

function eventRow(id: string, entry: Partial<LockedEvent>): Row {
  const { emit, subscribe } = payloadsOf({ hash: "", ...entry });
  const nameOf = (payload: JsonSchema | undefined) => (payload === undefined ? "" : nameType(payload));
  const may = (entry.access ?? ["emit"]).join(", ");
  const gives = subscribe === undefined ? "" : `${nameOf(subscribe)}...`;
  return { kind: "event", id, may, entry, takes: nameOf(emit), gives };
}

const own = <T>(entries: Readonly<Record<string, T>>, id: string): T | undefined =>
  Object.hasOwn(entries, id) ? entries[id] : undefined;
