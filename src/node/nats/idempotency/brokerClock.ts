/** How long a reading is relied on, in ms: in this time clocks drift apart by some ms. */
const relyMs = 60_000;

/**
 * The time of the broker, by which all servers judge whether a lease is over: their own clocks may differ by more than a lease.
 *
 * @param read has the broker note its time, in ms since 1970
 */
export function createBrokerClock(read: () => Promise<number>): () => Promise<number> {
  let aheadMs = 0;
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;
  async function readAhead(): Promise<void> {
    const noted = await read();
    // The broker noted its time before this moment: a lease ends rather late than early.
    readAt = performance.now();
    aheadMs = noted - readAt;
  }
  return async () => {
    if (performance.now() - readAt > relyMs) {
      reading ??= readAhead().finally(() => (reading = undefined));
      await reading;
    }
    return performance.now() + aheadMs;
  };
}
