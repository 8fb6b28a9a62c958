/** Disposes of what a test has started, the last one first. */
export function createCleanups() {
  const started: AsyncDisposable[] = [];
  return {
    async starting<T extends AsyncDisposable>(boot: T | Promise<T>): Promise<T> {
      const value = await boot;
      started.push(value);
      return value;
    },
    add: (dispose: () => Promise<unknown>): void => {
      started.push({ [Symbol.asyncDispose]: async () => void (await dispose()) });
    },
    async run(): Promise<void> {
      for (const each of started.splice(0).reverse()) await each[Symbol.asyncDispose]();
    },
  };
}
