import { readFileSync } from "node:fs";
import { normalizeError } from "../../../errors/normaliseThrown";
import { TunnelError } from "../../../errors/tunnelError";
import { resolveConnectionConfig, type NatsCredentials } from "../../nats/connectionConfig";
import { DeadLetterStore, type DeadLetter, type DeadLetterFilter } from "../../nats/events/deadLetterStore";
import { NatsLink } from "../../nats/link";
import { isName, namePatternText } from "../../nats/subjects";
import { defineCommand, type Command, type ValuesOf } from "../command/command";
import { counted } from "../command/counted";
import type { Failure } from "../command/failure";
import { runGroup } from "../command/runGroup";
import { formatTable } from "../command/table";
import { ExitCode } from "../exitCodes";
import { printable } from "../printable";
import { UsageError } from "../usageError";
import { fromEnvironment, readWhole } from "../values";

const brokerFlags = {
  namespace: { type: "string", value: "<name>", about: "the namespace of the application" },
  server: { type: "string", value: "<url>", about: "of the broker; default NATS_URL, else nats://127.0.0.1:4222" },
  creds: { type: "string", value: "<path>", about: "file with credentials; default NATS_CREDS" },
  user: { type: "string", value: "<name>", about: "with NATS_PASSWORD; default NATS_USER. Or NATS_TOKEN alone" },
  service: { type: "string", value: "<name>", about: "only what this service has given up" },
  event: { type: "string", value: "<id>", about: "only this event" },
} as const;

const chosenFlags = {
  ...brokerFlags,
  seq: { type: "string", multiple: true, value: "<number>", about: "only this one; may be given several times" },
  all: { type: "boolean", about: "all that the other options leave" },
} as const;

type Given = ValuesOf<typeof chosenFlags>;

const listCommand = defineCommand({
  name: "events dlq list",
  about: "Lists the events that services have given up, the oldest first.",
  needed: ["namespace"],
  flags: brokerFlags,
  example: "npx @bluelibs/runner events dlq list --namespace acme",
  run: async ({ values, output }) =>
    withLetters(values, async (letters) => {
      const rows: string[][] = [];
      for await (const letter of letters.list(filterOf(values))) {
        const { sequence, service, event, code, message, deliveries, at, bytes } = letter;
        if (output.isJson) {
          const payload = Buffer.from(bytes).toString();
          output.print(JSON.stringify({ sequence, service, event, code, message, deliveries, at, payload }));
        } else {
          const shown = [
            String(sequence),
            at.toISOString(),
            service,
            event,
            String(deliveries),
            code,
            message.slice(0, 80),
          ];
          rows.push(shown.map(printable));
        }
      }
      if (output.isJson) return ExitCode.ok;
      if (rows.length === 0) output.print("No event was given up.");
      else output.print(formatTable(["SEQ", "AT", "SERVICE", "EVENT", "TRIES", "CODE", "MESSAGE"], rows));
      return ExitCode.ok;
    }),
});

const replayCommand = defineCommand({
  name: "events dlq replay",
  about: "Publishes events once more, for the service that has given them up alone.",
  needed: ["namespace"],
  flags: chosenFlags,
  example: "npx @bluelibs/runner events dlq replay --namespace acme --service mailer --all",
  run: async ({ values, output }) => {
    const count = await forEachChosen(values, (letters, letter) => letters.replay(letter));
    output.event({ replayed: count }, `${counted(count, "event")} published once more.`);
    return ExitCode.ok;
  },
});

const dropCommand = defineCommand({
  name: "events dlq drop",
  about: "Drops events that were given up, for good.",
  needed: ["namespace"],
  flags: chosenFlags,
  example: "npx @bluelibs/runner events dlq drop --namespace acme --seq 17",
  run: async ({ values, output }) => {
    const count = await forEachChosen(values, (letters, letter) => letters.drop(letter));
    output.event({ dropped: count }, `${counted(count, "event")} dropped.`);
    return ExitCode.ok;
  },
});

/** In the order of the help. */
export const eventsCommands: readonly Command[] = [listCommand, replayCommand, dropCommand];

/** Runs `runner events …`. @returns the exit code @throws {UsageError} the arguments make no sense */
export const events = (args: readonly string[]): Promise<number> =>
  runGroup(
    {
      path: "events",
      commands: eventsCommands,
      describeFailure,
      exitCodes: "Exit codes: 0 done, 1 the broker refused, 2 wrong arguments, 5 the broker is away.",
    },
    args,
  );

/** What is chosen by nothing would be all, and a slip of the finger. */
async function forEachChosen(
  values: Given,
  act: (letters: DeadLetterStore, letter: DeadLetter) => Promise<void>,
): Promise<number> {
  const filter = filterOf(values);
  const isNarrow = filter.sequences !== undefined || values.all === true;
  if (!isNarrow) throw new UsageError("Say which: --seq <number>, or --all for all that --service and --event leave.");
  return withLetters(values, async (letters) => {
    let count = 0;
    for await (const letter of letters.list(filter)) {
      await act(letters, letter);
      count += 1;
    }
    return count;
  });
}

function filterOf({ service, event, seq }: Given): DeadLetterFilter {
  const sequences = seq?.map((each) => readWhole("--seq", each, [1, Number.MAX_SAFE_INTEGER]));
  return { service, event, sequences };
}

async function withLetters<T>(values: Given, use: (letters: DeadLetterStore) => Promise<T>): Promise<T> {
  const { namespace } = values;
  if (namespace === undefined) throw new UsageError("--namespace is needed.");
  if (!isName(namespace)) throw new UsageError(`--namespace must be ${namePatternText}, got "${namespace}".`);
  const server = fromEnvironment(values.server, "NATS_URL") ?? "nats://127.0.0.1:4222";
  const credentials = credentialsOf(values);
  const link = await NatsLink.open(
    resolveConnectionConfig({ servers: server.split(","), name: "runner events", ...(credentials && { credentials }) }),
  );
  try {
    return await use(new DeadLetterStore(link, namespace));
  } finally {
    await link.close();
  }
}

function credentialsOf(values: Given): NatsCredentials | undefined {
  const path = fromEnvironment(values.creds, "NATS_CREDS");
  if (path !== undefined) {
    try {
      return { creds: readFileSync(path, "utf8") };
    } catch (error) {
      throw new UsageError(`--creds ${path} cannot be read: ${normalizeError(error).message}`);
    }
  }
  const user = fromEnvironment(values.user, "NATS_USER");
  if (user !== undefined) return { user, password: process.env["NATS_PASSWORD"] ?? "" };
  const token = fromEnvironment(undefined, "NATS_TOKEN");
  return token === undefined ? undefined : { token };
}

function describeFailure(error: unknown): Failure {
  const { message } = normalizeError(error);
  const code = error instanceof TunnelError ? error.code : normalizeError(error).name;
  return { exitCode: code === "BROKER_OFFLINE" ? ExitCode.unreachable : ExitCode.failed, code, message };
}
