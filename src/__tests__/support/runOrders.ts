import { runProgram } from "./runProgram";

const runFile =
  (file: string) =>
  (carrier: "http" | "nats", env: Readonly<Record<string, string>> = {}) =>
    runProgram(["--import", "./.ci/typescript.mjs", `examples/scale/orders/${file}`, carrier], {
      timeoutMs: 150_000,
      env,
    });

/** Runs the example of orders as its page says. */
export const runOrders = runFile("main.ts");

/** The same, of one order whose payment worker is killed at the worst moment. */
export const runKilledBetween = runFile("killedBetween.ts");

/** What that has to end with. */
export const killedBetween = (carrier: "http" | "nats") => ({
  exitCode: 0,
  stdout:
    `${carrier}: 1 worker was killed between the effect and its reply\n` +
    "1 paid, 0 twice, found in the ledger: 1, answered with its receipt: true\n",
  stderr: "",
});

/** What it prints, where only the repetitions differ from run to run. */
export const asPlaced = (carrier: "http" | "nats"): RegExp =>
  new RegExp(
    `^${carrier}: 5 services were killed\\n` +
      "2,000 placed, 2,000 paid, 0 twice, 2,000 mails, 0 lost, [\\d,]+ twice\\n" +
      "repeated by customers: [\\d,]+, by others and found in the ledger: [\\d,]+\\n$",
  );
