import { describeCalls, parseReport } from "./support/describeCalls";
import { describeDriving } from "./support/describeDriving";
import { describeServing } from "./support/describeServing";
import { startProgram } from "./support/project";
import { findRuntime } from "./support/runtimes";

for (const name of ["Node 20", "Node 22", "Node 24"] as const) {
  const commandOf = (program: string, ...args: string[]) => [findRuntime(name), program, ...args];

  describeCalls(name, {
    entries: ["@bluelibs/runner", "@bluelibs/runner/node"],
    async report(address) {
      await using program = startProgram(commandOf("call.mjs", JSON.stringify(address), name));
      return parseReport(await program.line(/^report (.*)/));
    },
  });
  describeServing(name, commandOf);
  describeDriving(name, commandOf);
}
