import { TunnelError } from "../../../errors/tunnelError";
import { getDefaultSerializer } from "../../../serializer/Serializer";
import { defineCommand } from "../command/command";
import type { Output } from "../command/output";
import { stopSignal } from "../command/stopSignal";
import { ExitCode } from "../exitCodes";
import { UsageError } from "../usageError";
import { readWhole } from "../values";
import { connectServer, discoverServer } from "./connectServer";
import { describeFailure } from "./failure";
import { readServer, serverFlags, serverPositional, type ServerAddress } from "./serverAddress";

const mostEvents = 1_000_000_000;

export const tailCommand = defineCommand({
  name: "tail",
  about: "Prints events as they are emitted, a line each, until it is stopped. It reconnects by itself.",
  positionals: [serverPositional, { name: "event", about: "id of an event", isRepeated: true }],
  needed: ["token"],
  flags: {
    ...serverFlags,
    after: {
      type: "string",
      value: "<event=id>",
      multiple: true,
      about: "goes on behind the event with this id, as far as the server still has what followed",
    },
    count: { type: "string", short: "n", value: "<n>", about: "ends after so many events" },
  },
  example: "npx @bluelibs/runner tail https://api.example.com/__runner shop.events.charged --token s3cret",
  async run({ values, positionals: [url = "", ...ids], output }) {
    const address = readServer(url, values);
    const after = readPositions(values.after ?? [], ids);
    let left = values.count === undefined ? Infinity : readWhole("--count", values.count, [1, mostEvents]);
    const stopped = stopSignal();
    await using client = connectServer(address);
    const opening = watchOpening(address, stopped, output);
    const heard = client.subscribe(ids, {
      after,
      signal: opening.signal,
      onOpen: (positions) => {
        opening.end();
        output.note({ open: positions }, `Listening to ${ids.join(", ")}.`);
      },
      onGap: (gap) => output.note({ gap }, `${gap.event}: ${gap.missed ?? "some"} missed (${gap.reason}).`),
    });
    try {
      for await (const { event, id, payload } of heard) {
        const json = payload === undefined ? "null" : getDefaultSerializer().stringify(payload);
        output.event({ event, id, payload: JSON.parse(json) as unknown }, `${event}  ${json}`);
        if (--left === 0) break;
      }
    } catch (error) {
      if (!stopped.aborted) throw error;
    } finally {
      opening.end();
    }
    return ExitCode.ok;
  },
});

/**
 * A client goes on trying for ever, which helps where a connection is lost. Until the first one is there the reader is told why
 * there is none, and the time is limited.
 */
function watchOpening(address: ServerAddress, stopped: AbortSignal, output: Output) {
  const attempt = new AbortController();
  let isEnded = false;
  let reason: unknown;
  const seconds = address.timeoutMs / 1000;
  const timer = setTimeout(() => {
    const message = `The server did not let events be heard within ${seconds} s.`;
    attempt.abort(reason ?? new TunnelError("REQUEST_TIMEOUT", message));
  }, address.timeoutMs);
  const stop = (): void => attempt.abort(stopped.reason);
  stopped.addEventListener("abort", stop, { once: true });
  // Whatever replies to it, the subscription says better; without a reply it says nothing.
  discoverServer(address).catch((error: unknown) => {
    const { exitCode, code, message } = describeFailure(error);
    if (isEnded || exitCode !== ExitCode.unreachable) return;
    reason = error;
    output.note({ waiting: { code, message } }, `${message} Trying again for ${seconds} s.`);
  });
  return {
    signal: attempt.signal,
    end() {
      isEnded = true;
      clearTimeout(timer);
    },
  };
}

/** Positions by event, as `tail --json` has printed them. */
function readPositions(given: readonly string[], ids: readonly string[]): Readonly<Record<string, string>> {
  const positions: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const each of given) {
    const [, event, id] = /^([^=]+)=(.+)$/s.exec(each) ?? [];
    if (event === undefined || id === undefined) throw new UsageError("--after must be given as event=id.");
    if (!ids.includes(event)) throw new UsageError(`--after names the event "${event}", which is not listened to.`);
    positions[event] = id;
  }
  return positions;
}
