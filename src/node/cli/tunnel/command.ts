import { parseArgs } from "node:util";
import { nearestName } from "../../../lib/nearestName";
import { UsageError } from "../usageError";
import type { Output } from "./output";

/** An option of a command, as `parseArgs` takes it, and how its help describes it. */
export interface Flag {
  readonly type: "string" | "boolean";
  /** It may be given several times. */
  readonly multiple?: boolean;
  readonly short?: string;
  /** What its value is, as `<url>`. */
  readonly value?: string;
  readonly about: string;
}

type Flags = Readonly<Record<string, Flag>>;

/** What was given of each option. */
export type ValuesOf<F extends Flags> = {
  readonly [K in keyof F]?: F[K] extends { type: "boolean" }
    ? boolean
    : F[K] extends { multiple: true }
      ? readonly string[]
      : string;
};

interface CommandSpec<F extends Flags> {
  /** After `runner tunnel`. */
  readonly name: string;
  readonly about: string;
  /** What is needed behind the name, in order. */
  readonly positionals?: readonly { readonly name: string; readonly about: string }[];
  /** Options that are always given; help shows them in the first line. */
  readonly needed?: readonly (keyof F & string)[];
  readonly flags: F;
  /** Arguments of a call that works. */
  readonly example: string;
  /** @returns the exit code @throws {UsageError} the arguments make no sense */
  readonly run: (given: GivenArgs<F>) => Promise<number>;
}

/** What a command was given. */
export interface GivenArgs<F extends Flags> {
  readonly values: ValuesOf<F>;
  readonly positionals: readonly string[];
  readonly output: Output;
}

/** A command below `runner tunnel`. */
export interface Command {
  readonly name: string;
  readonly about: string;
  readonly example: string;
  readonly flags: Flags;
  readonly help: string;
  /** @returns the exit code @throws {UsageError} the arguments make no sense */
  start(args: readonly string[], createOutput: (isJson: boolean) => Output): Promise<number>;
}

const everyCommand = {
  json: { type: "boolean", about: "prints one JSON object per line" },
  help: { type: "boolean", short: "h", about: "prints this" },
} as const;

export function defineCommand<const F extends Flags>(spec: CommandSpec<F>): Command {
  const { name, about, example, positionals: expected = [], run } = spec;
  const flags: Flags = { ...spec.flags, ...everyCommand };
  const pointer = `runner tunnel ${name} --help has its options and an example.`;
  return {
    name,
    about,
    example,
    flags,
    get help() {
      return helpOf(spec, flags);
    },
    async start(args, createOutput) {
      const { values, positionals } = parse(args, flags, spec.example, pointer);
      const output = createOutput(values.json === true);
      if (values.help === true) {
        output.print(this.help);
        return 0;
      }
      if (positionals.length !== expected.length) {
        const needs = expected.map((each) => `<${each.name}>`).join(" ");
        // The arguments are not repeated: one of them may be a token.
        throw new UsageError(
          `runner tunnel ${name} takes ${needs === "" ? "options alone" : needs}, got ${positionals.length} arguments. Example: ${example}`,
          pointer,
        );
      }
      try {
        return await run({ values: values as ValuesOf<F>, positionals, output });
      } catch (error) {
        throw error instanceof UsageError ? new UsageError(error.message, pointer) : error;
      }
    },
  };
}

function parse(args: readonly string[], flags: Flags, example: string, pointer: string) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: flags });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const unknown = code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" ? /'(-[^\s'=]*)/.exec(message)?.[1] : undefined;
    if (unknown === undefined) {
      throw new UsageError(`${message.replaceAll("\n", " ").replace(/\.*$/, "")}. Example: ${example}`, pointer);
    }
    const nearest = nearestName(unknown.replace(/^-+/, ""), Object.keys(flags));
    throw new UsageError(
      `There is no option ${unknown}.${nearest === undefined ? "" : ` Did you mean --${nearest}?`}`,
      pointer,
    );
  }
}

function helpOf<F extends Flags>(
  { name, about, example, positionals = [], needed = [] }: CommandSpec<F>,
  flags: Flags,
): string {
  const spellingOf = (flag: string): string => {
    const { value, short } = flags[flag] as Flag;
    return `${short === undefined ? "" : `-${short}, `}--${flag}${value === undefined ? "" : ` ${value}`}`;
  };
  const first = [...positionals.map((each) => `<${each.name}>`), ...needed.map(spellingOf), "[options]"].join(" ");
  const rows = [
    ...positionals.map((each) => [`<${each.name}>`, each.about] as const),
    ...Object.entries(flags).map(([flag, each]) => {
      const again = each.multiple === true ? "; may be given several times" : "";
      return [spellingOf(flag), `${each.about}${again}`] as const;
    }),
  ];
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `Usage: runner tunnel ${name} ${first}`,
    "",
    about,
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
    `Example: ${example}`,
  ].join("\n");
}
