import type { NatsExposureLimits } from "../../../node/nats";
import type { QuoteVersion } from "./quotes";
import { startProgram, type Program } from "../../support/startProgram";

export interface WorkerOptions {
  readonly url: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly limits?: NatsExposureLimits;
  /** Whether `work.once` hangs. Default false. */
  readonly hangs?: boolean;
  /** Which version of `work.quote` it serves, by its contract. Default: none. */
  readonly version?: QuoteVersion;
}

interface WorkerAnswers {
  readonly ready: () => number;
  /** How often each task has begun. */
  readonly ran: () => Readonly<Record<string, number>>;
}

export interface Worker extends Program<WorkerAnswers> {
  readonly pid: number;
}

/** Starts a worker in a process of its own; resolves once it serves. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const program = await startProgram<WorkerAnswers>("../nats/support/worker", { WORKER: JSON.stringify(options) });
  const pid = await program.ask("ready");
  return Object.assign(program, { pid });
}
