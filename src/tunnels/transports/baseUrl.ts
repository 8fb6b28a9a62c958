/**
 * Cuts the slash at the end of a base URL.
 *
 * @param owner names the function in the error
 * @throws {Error} there is no base URL
 */
export function readBaseUrl(config: { readonly baseUrl?: string | undefined } | undefined, owner: string): string {
  const baseUrl = config?.baseUrl;
  if (!baseUrl) throw new Error(`${owner} requires baseUrl`);
  return baseUrl.endsWith("/") ? baseUrl.slice(0, -1) : baseUrl;
}
