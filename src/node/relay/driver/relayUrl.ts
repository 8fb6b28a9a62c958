/**
 * Where drivers of a relay connect.
 *
 * @throws {TypeError} it is no URL of a relay
 */
export function connectUrlOf(relay: string): string {
  if (!URL.canParse(relay))
    throw new TypeError(`relay must be a URL such as "https://relay.example.com", got "${relay}".`);
  const url = new URL(relay);
  if (!["http:", "https:", "ws:", "wss:"].includes(url.protocol)) {
    throw new TypeError(`relay must be an http or https URL, got "${url.protocol}".`);
  }
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/$/, "")}/api/v1/tunnel/connect`;
  return url.href;
}
