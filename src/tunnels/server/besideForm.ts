import type { OpenedForm } from "../protocol/wire";
import { discardResult, readStreamResult } from "./streamResult";

/**
 * Waits for a task whose files are still arriving. What is wrong with the form decides over what the task made of it,
 * and is not kept waiting for the task.
 */
export function besideForm(running: Promise<unknown>, form: OpenedForm): Promise<unknown> {
  // One promise instead of a race of them: once contexts are in use, Node runs a hook for every one.
  return new Promise((resolve, reject) => {
    let isBroken = false;
    let isFinished = false;
    let conclude: (() => void) | undefined;
    const concludeWhenFinished = (how: () => void): void => {
      form.discard();
      if (isFinished) how();
      else conclude = how;
    };
    form.finished.then(
      () => {
        isFinished = true;
        conclude?.();
      },
      (error: Error) => {
        isBroken = true;
        reject(error);
      },
    );
    running.then(
      (value) => {
        if (isBroken) discardResult(value);
        // A streamed reply may be made of the files, so it must not wait for them.
        else if (readStreamResult(value) !== undefined) resolve(value);
        else concludeWhenFinished(() => resolve(value));
      },
      (error: Error) => concludeWhenFinished(() => reject(error)),
    );
  });
}
