import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveRelayConfig } from "../../node/relay/config";
import { root } from "../support/root";

const page = readFileSync(join(root, "readmes/REVERSE_TUNNELS.md"), "utf8");

/** Names in the first cell of a row of the limits, and the numbers at the beginning of its second. */
const rows = page
  .slice(page.indexOf("\n## Limits"))
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, names = "", defaults = ""]) => ({
    names: [...names.matchAll(/`(?:limits\.)?(\w+)`/g)].map(([, name = ""]) => name),
    numbers: [...defaults.replace(/, at most.*/, "").matchAll(/(\d[\d,]*\d|\d)( MiB)?/g)].map(
      ([, digits = "", unit]) => Number(digits.replaceAll(",", "")) * (unit === undefined ? 1 : 1_048_576),
    ),
  }));

it("the guide of reverse tunnels states the default of every limit as it is", () => {
  const { session, visitors, ...rest } = resolveRelayConfig({ listen: { port: 0 } });
  const defaults = {
    ...rest,
    ...session,
    maxFrame: session.maxFrameBytes,
    window: session.windowBytes,
    maxWindow: session.maxWindowBytes,
    linkQueueBytes: session.congestedBytes,
    maxLinkQueueBytes: session.maxQueuedBytes,
    maxConnectionsPerVisitorIp: visitors.maxConnectionsPerIp,
    visitorHeadBytes: visitors.headBytes,
    visitorHeadMs: visitors.headMs,
    visitorRequestMs: visitors.requestMs,
    visitorIdleMs: visitors.idleMs,
  } as Readonly<Record<string, unknown>>;
  // What the process may open is not a number of the page.
  const stated = rows.flatMap(({ names, numbers }) =>
    names
      .filter((name) => !["fdPermits", "trustedProxies", "fdLimit"].includes(name))
      .map((name, index) => [name, numbers[index]] as const),
  );

  expect(stated.length).toBeGreaterThan(20);
  expect(Object.fromEntries(stated)).toEqual(Object.fromEntries(stated.map(([name]) => [name, defaults[name]])));
});
