import { startProgram, type Program } from "../../support/startProgram";

export interface HearerOptions {
  readonly url: string;
  readonly service: string;
  /** Where each event that was heard is a line, `<key> <n> <pid>`. */
  readonly file: string;
  readonly ordered?: boolean;
  readonly maxInFlight?: number;
  /** How long the hook takes, in ms. */
  readonly workMs?: number;
}

interface HearerAnswers {
  readonly ready: () => number;
}

export type Hearer = Program<HearerAnswers> & { readonly pid: number };

/** Starts a service in a process of its own; resolves once it hears. */
export async function startHearer(options: HearerOptions): Promise<Hearer> {
  const program = await startProgram<HearerAnswers>("../nats/support/hearer", { HEARER: JSON.stringify(options) });
  return Object.assign(program, { pid: await program.ask("ready") });
}
