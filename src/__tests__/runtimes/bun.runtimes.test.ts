import { nodeClientKinds } from "./app/nodeCalls";
import { describeCalls, parseReport } from "./support/describeCalls";
import { describeDriving } from "./support/describeDriving";
import { describeServing } from "./support/describeServing";
import { startProgram } from "./support/project";
import { findRuntime } from "./support/runtimes";

const commandOf = (program: string, ...args: string[]) => [findRuntime("Bun"), program, ...args];

const headersOfFetch = { value: expect.arrayContaining(["accept", "user-agent"]) };

describeCalls("Bun", {
  entries: ["@bluelibs/runner", "@bluelibs/runner/node"],
  async report(address) {
    await using program = startProgram(commandOf("call.mjs", JSON.stringify(address), "Bun"));
    return parseReport(await program.line(/^report (.*)/));
  },
  deviations: {
    "detects its platform": { value: "universal" },
    // Its undici is a stand-in that has no pools: fetch carries JSON calls.
    ...Object.fromEntries(
      nodeClientKinds.map((kind) => [`${kind}: sends JSON without the headers that fetch adds`, headersOfFetch]),
    ),
  },
});

describeServing("Bun", commandOf);
describeDriving("Bun", commandOf);
