/** The last two name runs and emissions: who knows one could have it left out. */
const secretNames: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-runner-emission-id",
  "x-runner-via",
]);

/**
 * Headers with the values of credentials masked, names in lower case.
 *
 * @param flat names and values in turn
 * @param alsoSecret names of further ones, in lower case
 */
export function maskedHeaders(flat: readonly string[], alsoSecret: ReadonlySet<string>): Record<string, string> {
  const masked = Object.create(null) as Record<string, string>;
  for (let index = 0; index < flat.length; index += 2) {
    const name = (flat[index] as string).toLowerCase();
    const value = isSecret(name) || alsoSecret.has(name) ? "***" : withoutQuery(name, flat[index + 1] as string);
    masked[name] = masked[name] === undefined || value === "***" ? value : `${masked[name]}, ${value}`;
  }
  return { ...masked };
}

/** Names that say so of themselves count as well: a header that is masked in vain is the smaller harm. */
const isSecret = (name: string): boolean =>
  secretNames.has(name) ||
  /auth|token|secret|password|credential|cookie|(api|access)-?key|signature|session|jwt/.test(name);

/** URLs carry credentials in their query. */
const withoutQuery = (name: string, value: string): string =>
  name === "referer" || name === "location" ? value.replace(/[?#].*$/s, "") : value;
