/** How a program tells its test what it saw: a line of JSON for each thing it tried. */

/** Something to try, and what comes of it as JSON can hold it. */
export type Trial = () => Promise<unknown>;

/** What came of a trial. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string | undefined };
}

/** What came of all of them, by name. */
export type Report = Record<string, Outcome>;

/** Tries one after the other, none longer than this. */
export async function tryAll(trials: Readonly<Record<string, Trial>>, timeoutMs = 8_000): Promise<Report> {
  const report: Report = {};
  for (const [name, trial] of Object.entries(trials)) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`took longer than ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      report[name] = { value: await Promise.race([trial(), late]) };
    } catch (error) {
      const { name: errorName, message, stack } = error as Error;
      report[name] = { error: { name: errorName, message, stack } };
    } finally {
      clearTimeout(timer);
    }
  }
  return report;
}
