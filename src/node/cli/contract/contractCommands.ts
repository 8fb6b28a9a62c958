import { writeFileSync } from "node:fs";
import type { ContractChange } from "../../../errors/bootErrors";
import { diffContracts, worstOf, type ChangeLevel } from "../../../tunnels/contract/contractDiff";
import { printContractLock, type ContractLock } from "../../../tunnels/contract/contractLock";
import { isUnknownSchema } from "../../../tunnels/contract/describeSchema";
import { openApiOf } from "../../../tunnels/contract/openApi";
import { defineCommand, type Command } from "../command/command";
import { counted } from "../command/counted";
import type { Output } from "../command/output";
import { runCommand, runGroup } from "../command/runGroup";
import { ExitCode } from "../exitCodes";
import { describeFailure } from "../server/failure";
import { readServer } from "../server/serverAddress";
import { UsageError } from "../usageError";
import { readContract, readLockFile, sourceFlags, sourcePositional } from "./readContract";

/** What a comparison found, as an exit code. */
const levelCodes: Readonly<Record<ChangeLevel | "same", number>> = { same: 0, breaking: 10, addition: 11, unknown: 12 };

const lockFile = "billing.lock.json";
const url = "https://api.example.com/__runner";

const pullCommand = defineCommand({
  name: "contract pull",
  about: "Writes down what can be called and how, to be kept beside the code that calls it.",
  positionals: [sourcePositional],
  needed: ["token"],
  flags: {
    ...sourceFlags,
    output: { type: "string", short: "o", value: "<path>", about: "file to write; default standard output" },
  },
  example: `npx @bluelibs/runner contract pull ${url} --token s3cret -o ${lockFile}`,
  async run({ values, positionals: [source = ""], output }) {
    const lock = await readContract(source, values);
    if (values.output === undefined) {
      output.print(printContractLock(lock).trimEnd());
      return ExitCode.ok;
    }
    writeText(values.output, printContractLock(lock));
    const { hash, tasks, events } = lock;
    const undescribed = undescribedOf(lock);
    const counts = `${counted(Object.keys(tasks).length, "task")} and ${counted(Object.keys(events).length, "event")}`;
    output.event({ written: values.output, hash, undescribed }, `${counts} written to ${values.output} (${hash}).`);
    if (undescribed.length > 0) {
      const ids = undescribed.slice(0, 10).join(", ");
      output.note({ undescribed }, `Not described, since their schemas have no JSON Schema: ${ids}.`);
    }
    return ExitCode.ok;
  },
});

/** Ids of what has a schema that cannot be put into words. */
function undescribedOf({ tasks, events }: ContractLock): readonly string[] {
  return Object.entries({ ...tasks, ...events })
    .filter(([, entry]) => Object.values(entry).some((schema) => isUnknownSchema(schema as never)))
    .map(([id]) => id);
}

const diffCommand = defineCommand({
  name: "contract diff",
  about: "Says what a newer contract changes for callers of an older one.",
  positionals: [
    { name: "old", about: "a lock file" },
    { name: "new", about: "another" },
  ],
  flags: {},
  example: `npx @bluelibs/runner contract diff ${lockFile} next.lock.json`,
  run: async ({ positionals: [older = "", newer = ""], output }) =>
    report(diffContracts(readLockFile(older), readLockFile(newer)), output),
});

const checkCommand = defineCommand({
  name: "contract check",
  about: "Says whether callers that were written against a lock file can call a server as it is now.",
  positionals: [{ name: "lock", about: "a lock file" }, sourcePositional],
  needed: ["token"],
  flags: sourceFlags,
  example: `npx @bluelibs/runner contract check ${lockFile} ${url} --token s3cret`,
  async run({ values, positionals: [lock = "", source = ""], output }) {
    const older = readLockFile(lock);
    return report(diffContracts(older, await readContract(source, values)), output);
  },
});

function report(changes: readonly ContractChange[], output: Output): number {
  const worst = worstOf(changes);
  for (const { level, kind, id, message } of changes) {
    output.event({ level, kind, id, message }, `${level.padEnd(8)}  ${kind} ${id}: ${message}`);
  }
  const verdicts: Readonly<Record<ChangeLevel | "same", string>> = {
    same: "Nothing changed.",
    addition: "Every call goes on working.",
    unknown: "Some changes have to be looked at: they cannot be compared.",
    breaking: "Calls that worked may fail.",
  };
  output.event({ verdict: worst }, verdicts[worst]);
  return levelCodes[worst];
}

export const openApiCommand = defineCommand({
  name: "openapi",
  about: "Writes an OpenAPI 3.1 document of what can be called over HTTP.",
  positionals: [sourcePositional],
  needed: ["token"],
  flags: {
    ...sourceFlags,
    title: { type: "string", value: "<s>", about: 'title of the document; default "Runner"' },
    server: { type: "string", value: "<url>", about: "where calls go; default <url>, of an entry /__runner" },
    output: { type: "string", short: "o", value: "<path>", about: "file to write; default standard output" },
  },
  example: `npx @bluelibs/runner openapi ${url} --token s3cret -o openapi.json`,
  async run({ values, positionals: [source = ""], output }) {
    const {
      title = "Runner",
      server: url = /^https?:/i.test(source) ? readServer(source, values).baseUrl : "/__runner",
    } = values;
    const document = openApiOf(await readContract(source, values), { title, url, tokenHeader: "x-runner-token" });
    const text = JSON.stringify(document, undefined, 2);
    if (values.output === undefined) output.print(text);
    else {
      writeText(values.output, `${text}\n`);
      output.event({ written: values.output }, `Written to ${values.output}.`);
    }
    return ExitCode.ok;
  },
});

function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`--output "${path}" cannot be written: ${(error as Error).message}`);
  }
}

/** In the order of the help. */
export const contractCommands: readonly Command[] = [pullCommand, diffCommand, checkCommand];

/** `runner contract …`. @returns the exit code @throws {UsageError} the arguments make no sense */
export const contract = (args: readonly string[]): Promise<number> =>
  runGroup({ path: "contract", commands: contractCommands, describeFailure, exitCodes }, args);

/** `runner openapi …`. @returns the exit code @throws {UsageError} the arguments make no sense */
export const openApi = (args: readonly string[]): Promise<number> => runCommand(openApiCommand, args, describeFailure);

const exitCodes =
  "Exit codes: 0 done, or nothing changed, 10 something breaks, 11 additions alone, 12 something cannot be compared;\n" +
  "1 failed, 2 the command cannot be carried out as given, 3 refused, 4 not found, 5 the server cannot be reached.";
