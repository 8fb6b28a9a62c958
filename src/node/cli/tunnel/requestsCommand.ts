import { setTimeout as delay } from "node:timers/promises";
import { TunnelError, type TunnelRequestRow } from "../../index";
import { ExitCode } from "../exitCodes";
import { printable } from "../printable";
import { defineCommand } from "../command/command";
import { relayFlags } from "./driverCommands";
import { describeFailure } from "./failure";
import { connectAdmin } from "./operatorCommands";
import type { Output } from "../command/output";
import { stopSignal } from "../command/stopSignal";
import { readWhole } from "../values";

const pollMs = 1_000;
/** As many as a relay remembers. */
const mostRequests = 500;

export const requestsListCommand = defineCommand({
  name: "tunnel requests list",
  about: "Lists requests that a relay has served, the newest at the end; with --follow, new ones as they come.",
  needed: ["relay", "token"],
  flags: {
    ...relayFlags,
    follow: { type: "boolean", about: "stays, and asks every second" },
    limit: { type: "string", value: "<n>", about: "how many to begin with, 1 to 500; default 100" },
    after: { type: "string", value: "<id>", about: "only what ended after the request of this id" },
    method: { type: "string", value: "<m>", about: "only those with this method" },
    status: { type: "string", value: "<code>", about: "only those answered with this status" },
    name: { type: "string", value: "<s>", about: "only those of the binding of this name" },
  },
  example:
    "npx @bluelibs/runner tunnel requests list --relay https://relay.example.com --token s3cret --follow --status 502",
  async run({ values, output }) {
    const { after, limit, status, method, name, follow = false } = values;
    const first = limit === undefined ? 100 : readWhole("--limit", limit, [1, mostRequests]);
    const filter = {
      method,
      name,
      status: status === undefined ? undefined : readWhole("--status", status, [100, 599]),
    };
    const stopped = follow ? stopSignal() : new AbortController().signal;
    const admin = connectAdmin(values, stopped);
    let lastId = after;
    const list = async (limit: number): Promise<Listed> => {
      const { data } = await admin.listRequests({ ...filter, limit, afterId: lastId });
      lastId = data.requests[0]?.id ?? lastId;
      return data;
    };
    try {
      const listed = await list(first);
      if (!output.isJson) output.print(title);
      show(listed, output);
      if (follow) await followRequests(() => list(mostRequests), stopped, output);
    } catch (error) {
      if (!stopped.aborted) throw error;
    }
    return ExitCode.ok;
  },
});

interface Listed {
  readonly requests: readonly TunnelRequestRow[];
}

/** Until it is asked to stop. @throws what a later list was refused with */
async function followRequests(list: () => Promise<Listed>, stopped: AbortSignal, output: Output): Promise<void> {
  let isReached = true;
  for (;;) {
    await delay(pollMs, undefined, { signal: stopped });
    try {
      const listed = await list();
      isReached = true;
      if (listed.requests.length > 0) show(listed, output);
    } catch (error) {
      const { exitCode, message } = describeFailure(error);
      if (stopped.aborted || !(error instanceof TunnelError) || exitCode !== ExitCode.unreachable) throw error;
      // A relay that starts again is back soon.
      if (isReached) output.note({ event: "retry", message }, `${message} Trying again.`);
      isReached = false;
    }
  }
}

/** Newest first for programs, as the relay has them. */
function show(listed: Listed, output: Output): void {
  if (output.isJson) output.print(JSON.stringify(listed));
  else for (const row of listed.requests.toReversed()) output.print(printable(lineOf(row)));
}

/** Requests come one by one: columns have the width of what is usual. */
const columns = (cells: readonly unknown[]): string => {
  const widths = [24, 6, 7, 7, 9, 9, 15];
  return cells
    .map((cell, index) => String(cell).padEnd(widths[index] ?? 0))
    .join("  ")
    .trimEnd();
};

const title = columns(["TIME", "STATUS", "METHOD", "MS", "IN", "OUT", "PEER", "URL"]);

const lineOf = ({ at, status, method, ms, bytesIn, bytesOut, peer, host, path, error }: TunnelRequestRow): string =>
  columns([at, status, method, Math.round(ms), bytesIn, bytesOut, peer, `${host}${path}`, error ?? ""]);
