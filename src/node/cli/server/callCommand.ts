import { createReadStream, createWriteStream, statSync } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { TunnelError } from "../../../errors/tunnelError";
import { getDefaultSerializer } from "../../../serializer/Serializer";
import { createNodeFile } from "../../index";
import { defineCommand } from "../command/command";
import { Stopped, stopSignal } from "../command/stopSignal";
import { ExitCode } from "../exitCodes";
import { UsageError } from "../usageError";
import { connectServer } from "./connectServer";
import { showProgress } from "./showProgress";
import { openItems, type GivenItems } from "./givenItems";
import { readServer, serverFlags, serverPositional } from "./serverAddress";

export const callCommand = defineCommand({
  name: "call",
  about: "Calls a task and prints its result as JSON; items a line each, bytes as they are.",
  positionals: [
    serverPositional,
    { name: "id", about: "id of the task" },
    { name: "json", about: "the input, as the serializer writes it; - reads it from standard input", isOptional: true },
  ],
  needed: ["token"],
  flags: {
    ...serverFlags,
    file: {
      type: "string",
      value: "<name=path>",
      multiple: true,
      about: "sends a file as this property of the input",
    },
    items: {
      type: "string",
      value: "<path>",
      about: "sends the lines of a file as the items that a task takes beside its input; - reads standard input",
    },
    output: { type: "string", short: "o", value: "<path>", about: "writes bytes of the result to a file" },
  },
  example: `npx @bluelibs/runner call https://api.example.com/__runner billing.tasks.charge '{"amount":5}' --token s3cret`,
  async run({ values, positionals: [url = "", id = "", json], output }) {
    const address = readServer(url, values);
    if (json === "-" && values.items === "-")
      throw new UsageError("Standard input is <json> or --items, and not both.");
    const input = withFiles(await readInput(json), values.file ?? []);
    const items = values.items === undefined ? undefined : openItems(values.items);
    const given = items === undefined ? {} : { items };
    const stopped = stopSignal();
    await using client = connectServer(address);
    const progress = showProgress(output.isJson);
    const printItems = async (): Promise<void> => {
      const stream = client.stream<unknown, unknown>(id, input, { signal: stopped, ...given });
      for await (const item of stream) output.print(lineOf(item));
      const result = await stream.result;
      if (result !== undefined) output.note({ result: JSON.parse(lineOf(result)) as unknown }, lineOf(result));
    };
    try {
      const options = { signal: stopped, ...given, ...progress.listeners };
      const result = await client.task<unknown, unknown>(id, input, options);
      if (result instanceof Readable) {
        const target = values.output === undefined ? process.stdout : createWriteStream(values.output);
        // Standard output stays open for what follows.
        await pipeline(result, target, { end: values.output !== undefined, signal: stopped });
        return ExitCode.ok;
      }
      progress.end();
      output.print(printed(result, output.isJson));
      return ExitCode.ok;
    } catch (error) {
      // The task streams, and has not begun.
      if (!isCode(error, "NOT_ACCEPTABLE")) throw failureOf(error, stopped, items);
      try {
        await printItems();
      } catch (broken) {
        throw failureOf(broken, stopped, items);
      }
      return ExitCode.ok;
    } finally {
      progress.end();
    }
  },
});

const isCode = (error: unknown, code: string): error is TunnelError =>
  error instanceof TunnelError && error.code === code;

/** What ended a call, where it is known better than the error of the client says. */
function failureOf(error: unknown, { reason }: AbortSignal, items: GivenItems | undefined): unknown {
  if (reason instanceof Stopped) return reason;
  if (items?.failure !== undefined) return items.failure;
  if (items !== undefined || !isCode(error, "ITEMS_MISSING")) return error;
  return new UsageError("The task takes items: give them by --items <path>, a line of JSON each, or --items - .");
}

/** One line for programs; for people what is long is laid out. */
function printed(result: unknown, isJson: boolean): string {
  const line = lineOf(result);
  return isJson || !process.stdout.isTTY ? line : JSON.stringify(JSON.parse(line), undefined, 2);
}

const lineOf = (value: unknown): string => (value === undefined ? "null" : getDefaultSerializer().stringify(value));

async function readInput(json: string | undefined): Promise<unknown> {
  if (json === undefined) return undefined;
  const given = json === "-" ? await text(process.stdin) : json;
  try {
    return getDefaultSerializer().parse(given);
  } catch (error) {
    const source = json === "-" ? "Standard input" : "<json>";
    throw new UsageError(`${source} is no JSON: ${(error as Error).message}`);
  }
}

/** Puts files into the input, at a path as "invoice.scan". */
function withFiles(input: unknown, files: readonly string[]): unknown {
  if (files.length === 0) return input;
  const root = input ?? {};
  for (const given of files) {
    const [, name, path] = /^([^=]+)=(.+)$/s.exec(given) ?? [];
    if (name === undefined || path === undefined) throw new UsageError("--file must be given as name=path.");
    const keys = name.split(".");
    let at: unknown = root;
    for (const key of keys.slice(0, -1)) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    if (!isObject(at)) throw new UsageError(`--file ${name} has no place: the input has no object there.`);
    at[keys.at(-1) as string] = openFile(path);
  }
  return root;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function openFile(path: string) {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new Error("it is a directory.");
    // What is no file, as a pipe, does not know its size.
    const size = stats.isFile() ? { size: stats.size } : {};
    return createNodeFile({ name: basename(path), ...size }, { stream: createReadStream(path) });
  } catch (error) {
    throw new UsageError(`--file "${path}" cannot be read: ${(error as Error).message}`);
  }
}
