/** What a promise rejects with; fails the test when it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`Expected a rejection, got ${String(value)}.`);
}

/** What a call throws at once; fails the test when it returns. */
export function thrownBy(call: () => unknown): Error {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    return error as Error;
  }
  throw new Error(`Expected a throw, got ${String(value)}.`);
}
