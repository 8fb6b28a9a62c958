import type { IncomingMessage } from "node:http";

/**
 * Whether a header arrived more than once. Node keeps the first value of some and joins those of others, so its
 * `headers` do not tell.
 *
 * @param name in lower case
 */
export function isRepeated({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">, name: string): boolean {
  let count = 0;
  // Adapters that make requests by hand leave it out.
  for (let index = 0; index < (rawHeaders?.length ?? 0); index += 2) {
    const raw = rawHeaders[index] as string;
    if (raw.length === name.length && raw.toLowerCase() === name) count += 1;
  }
  return count > 1;
}

/** All values of a header, in the order in which they arrived. */
export function valuesOf({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index] as string;
    if (raw.length === name.length && raw.toLowerCase() === name) values.push(rawHeaders[index + 1] as string);
  }
  return values;
}
