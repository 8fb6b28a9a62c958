/** Far more than any machine takes, and less than the time a test has. */
const limitMs = 30_000;

/** The promise, or a failure where it would keep a test waiting: what it waits for takes milliseconds on an idle machine. */
export async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Error(`Nothing came of it within ${limitMs} ms.`);
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), limitMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
