import { nodeClientKinds } from "./app/nodeCalls";
import { describeCalls, parseReport } from "./support/describeCalls";
import { describeDriving } from "./support/describeDriving";
import { describeServing } from "./support/describeServing";
import { startProgram } from "./support/project";
import { findRuntime } from "./support/runtimes";

const everything = ["--allow-all"];
/** The least that a caller needs: the way to the server. */
const networkAlone = ["--allow-net=127.0.0.1"];

const headersOfFetch = { value: expect.arrayContaining(["accept", "user-agent"]) };

const denoWith =
  (permissions: readonly string[]) =>
  (program: string, ...args: string[]) => {
    return [findRuntime("Deno"), "run", "--no-prompt", "--quiet", ...permissions, program, ...args];
  };

/** Without the environment there is no pool, and fetch carries JSON calls. */
const byFetch = Object.fromEntries(
  nodeClientKinds.map((kind) => [`${kind}: sends JSON without the headers that fetch adds`, headersOfFetch]),
);

for (const [name, permissions, deviations] of [
  ["Deno with every permission", everything, {}],
  ["Deno with --allow-net alone", networkAlone, byFetch],
] as const) {
  describeCalls(name, {
    entries: ["@bluelibs/runner", "@bluelibs/runner/node"],
    async report(address) {
      await using program = startProgram(denoWith(permissions)("call.mjs", JSON.stringify(address), name));
      return parseReport(await program.line(/^report (.*)/));
    },
    deviations: { ...deviations, "detects its platform": { value: "universal" } },
  });
}

describeServing("Deno", denoWith(everything));
describeDriving("Deno", denoWith(everything));
