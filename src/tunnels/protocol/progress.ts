/** Counts the bytes of one body and reports them now and then. */
export interface ByteCounter {
  add(bytes: number): void;
  /** Reports the final count, whenever the last report was. */
  finish(): void;
}

const intervalMs = 50;

/** @param report called with the bytes so far, at most every 50 ms and once at the end */
export function createByteCounter(report: (bytes: number) => void): ByteCounter {
  let bytes = 0;
  let reportedAtMs = -Infinity;
  return {
    add(count) {
      bytes += count;
      const nowMs = Date.now();
      if (nowMs - reportedAtMs < intervalMs) return;
      reportedAtMs = nowMs;
      report(bytes);
    },
    finish: () => report(bytes),
  };
}
