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

/** An argument without a name. */
interface Positional {
  readonly name: string;
  readonly about: string;
  /** It may be left out; only others of this kind follow. */
  readonly isOptional?: boolean;
  /** It may be given several times, and is the last. */
  readonly isRepeated?: boolean;
}

interface CommandSpec<F extends Flags> {
  /** After `runner`, as "tunnel sessions kill". */
  readonly name: string;
  readonly about: string;
  /** What comes behind the name, in order. */
  readonly positionals?: readonly Positional[];
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

/** A command of `runner`. */
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
  const pointer = `runner ${name} --help has its options and an example.`;
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
      const least = expected.filter(({ isOptional }) => isOptional !== true).length;
      const most = expected.some(({ isRepeated }) => isRepeated) ? Infinity : expected.length;
      if (positionals.length < least || positionals.length > most) {
        const needs = expected.map(spellingOf).join(" ");
        // The arguments are not repeated: one of them may be a token.
        throw new UsageError(
          `runner ${name} takes ${needs === "" ? "options alone" : needs}, got ${positionals.length} arguments. Example: ${example}`,
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

function spellingOf({ name, isOptional, isRepeated }: Positional): string {
  const spelling = `<${name}>${isRepeated === true ? "..." : ""}`;
  return isOptional === true ? `[${spelling}]` : spelling;
}

function helpOf<F extends Flags>(
  { name, about, example, positionals = [], needed = [] }: CommandSpec<F>,
  flags: Flags,
): string {
  const flagOf = (flag: string): string => {
    const { value, short } = flags[flag] as Flag;
    return `${short === undefined ? "" : `-${short}, `}--${flag}${value === undefined ? "" : ` ${value}`}`;
  };
  const first = [...positionals.map(spellingOf), ...needed.map(flagOf), "[options]"].join(" ");
  const rows = [
    ...positionals.map((each) => [spellingOf(each), each.about] as const),
    ...Object.entries(flags).map(([flag, each]) => {
      const again = each.multiple === true ? "; may be given several times" : "";
      return [flagOf(flag), `${each.about}${again}`] as const;
    }),
  ];
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `Usage: runner ${name} ${first}`,
    "",
    about,
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
    `Example: ${example}`,
  ].join("\n");
}
