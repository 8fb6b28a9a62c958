/** Lets the first few things of a kind through, and counts the rest: what unknown callers cause must stay small. */
export interface Repeats {
  /** @param tell called at once, or later for many: with how many of them it stands for beside itself */
  add(kind: string, tell: (repeated: number) => void): void;
}

/** What happened of one kind since its period began. */
interface Period {
  told: number;
  repeated: number;
  /** Of the latest one that was only counted. */
  tell: (repeated: number) => void;
}

/** @param kinds there are few of: each keeps a record for `periodMs` */
export function createRepeats({ atOnce, periodMs }: { readonly atOnce: number; readonly periodMs: number }): Repeats {
  const periods = new Map<string, Period>();

  function end(kind: string, period: Period): void {
    periods.delete(kind);
    if (period.repeated > 0) period.tell(period.repeated - 1);
  }

  return {
    add(kind, tell) {
      let period = periods.get(kind);
      if (period === undefined) {
        const begun: Period = { told: 0, repeated: 0, tell };
        period = begun;
        periods.set(kind, begun);
        keepsNothingAlive(setTimeout(() => end(kind, begun), periodMs));
      }
      if (period.told < atOnce) {
        period.told += 1;
        tell(0);
      } else {
        period.repeated += 1;
        period.tell = tell;
      }
    },
  };
}

/** Only some runtimes have processes that a timer keeps alive. */
const keepsNothingAlive = (timer: unknown): void => (timer as { unref?(): void }).unref?.();

/** Text of unknown callers, as far as it goes into a log. */
export const cutForLog = (text: string): string =>
  text.length <= longestInLog ? text : `${text.slice(0, longestInLog - 1)}…`;

const longestInLog = 200;
