/** Resolves once it is so, after however many turns of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

/** Resolves once a number has stayed the same for many turns of the event loop. */
export async function untilSettled(count: () => number): Promise<void> {
  let before = -1;
  while (before !== count()) {
    before = count();
    for (let turns = 0; turns < 500; turns += 1) await new Promise(setImmediate);
  }
}
