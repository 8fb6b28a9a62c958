import { runProgram } from "./runSnippet";

const program = ["--import", "./.ci/typescript.mjs", "examples/scale/orders/main.ts"];

/** Runs the example of orders as its page says. */
export const runOrders = (carrier: "http" | "nats", env: Readonly<Record<string, string>> = {}) =>
  runProgram([...program, carrier], { timeoutMs: 150_000, env });

/** What it prints, where only the repetitions differ from run to run. */
export const asPlaced = (carrier: "http" | "nats"): RegExp =>
  new RegExp(
    `^${carrier}: 5 services were killed\\n` +
      "2,000 placed, 2,000 paid, 0 twice, 2,000 mails, 0 lost, [\\d,]+ twice\\n" +
      "repeated by customers: [\\d,]+, by others and found in the ledger: [\\d,]+\\n$",
  );
