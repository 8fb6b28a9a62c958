import { isThenable } from "./guards";

/**
 * What a function answered that is called where nothing waits: a promise would count as a yes, whatever comes of it.
 *
 * @throws {TypeError} it is a promise
 */
export function assertSync<T>(answer: T, what: string): T {
  if (!isThenable(answer)) return answer;
  answer.then(undefined, () => {}); // its failure is beside the point
  throw new TypeError(`${what} returned a promise; it has to be synchronous.`);
}
