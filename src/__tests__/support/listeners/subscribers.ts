import { connect } from "node:net";
import { answerQuestions } from "../memory/program";

/** Whom to ask for what. */
export interface Listening {
  readonly port: number;
  /** The bytes of the request. */
  readonly ask: string;
  readonly count: number;
}

/** What all subscribers of the process have heard of so many events. */
export interface Heard {
  /** When the last subscriber heard the last event, as `Date.now()` with fractions. */
  readonly lastAtMs: number;
  /** Least and most lines of events that any of them has. */
  readonly lines: readonly [least: number, most: number];
  readonly gaps: number;
}

/** What the test can ask. */
export interface SubscriberAnswers {
  /** Resolves once all are open. */
  open(listening: Listening): void;
  /** Resolves once all have heard so many events. */
  heard(events: number): Heard;
}

const lines: number[] = [];
let gaps = 0;
let openCount = 0;
/** How many subscribers have heard an event, and when the last of them did. */
const reached: { count: number; lastAtMs: number }[] = [];
let onChange = (): void => {};

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise<void>((resolve) => (onChange = resolve));
};

function hear(index: number, text: string): void {
  if (text.includes('"open":')) openCount += 1;
  gaps += text.split('"gap":').length - 1;
  for (let more = text.split('"event":').length - 1; more > 0; more -= 1) {
    const at = (lines[index] = (lines[index] ?? 0) + 1);
    const event = (reached[at] ??= { count: 0, lastAtMs: 0 });
    event.count += 1;
    event.lastAtMs = performance.timeOrigin + performance.now();
  }
  onChange();
}

async function open({ port, ask, count }: Listening): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    lines[index] = 0;
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {}).on("data", (chunk) => hear(index, chunk.toString("latin1")));
    socket.write(ask);
  }
  await until(() => openCount === count);
}

async function heard(events: number): Promise<Heard> {
  await until(() => reached[events]?.count === lines.length);
  const { lastAtMs } = reached[events] as { lastAtMs: number };
  return { lastAtMs, lines: [Math.min(...lines), Math.max(...lines)], gaps };
}

answerQuestions({ open: (listening) => open(listening as Listening), heard: (events) => heard(events as number) });
