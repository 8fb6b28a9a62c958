import { phantomTaskNotRoutedError } from "../../errors/runErrors";

/**
 * Turns the `undefined` of an unrouted phantom task into an error.
 *
 * @throws {phantomTaskNotRoutedError} `value` is `undefined`; `null`, `0` and `""` pass
 */
export function assertTaskRouted<T>(value: T | undefined, taskId: string): T {
  if (value === undefined) throw phantomTaskNotRoutedError.create({ taskId });
  return value;
}
