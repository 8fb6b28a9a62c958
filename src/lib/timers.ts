/** Longest delay that a timer can hold, in ms: one that is set to more fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Whether something settles in time; a rejection is passed on. */
export async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, longestTimerMs), false);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
