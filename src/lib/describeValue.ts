/** `String(value)`, also for values that refuse to be a string. Never throws: it describes what others threw. */
export function describeValue(value: unknown): string {
  return attempt(() => String(value)) ?? attempt(() => tagOf(value)) ?? `[${typeof value}]`;
}

/** As `describeValue`, with text in quotes: what was given where something else should stand. */
export const describeGiven = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : describeValue(value);

/** `[object Error]` and the like, which holds across realms. */
export const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

function attempt(describe: () => string): string | undefined {
  try {
    return describe();
  } catch {
    return undefined;
  }
}
