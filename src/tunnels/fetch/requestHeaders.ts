import type { WireHeaders } from "../protocol/wire";

/** Headers of a request, looked up when they are read, and what was set over them. */
interface HeaderView {
  readonly headers: Headers;
  readonly own: Map<string, string>;
}

/**
 * The headers of a request as a record that is read through: making a record of all of them costs more than the few
 * that a call looks at.
 */
export const viewHeaders = (headers: Headers): Record<string, string | undefined> =>
  new Proxy({ headers, own: new Map() }, readThrough) as unknown as Record<string, string | undefined>;

const readThrough: ProxyHandler<HeaderView> = {
  get: ({ headers, own }, name) =>
    // Pseudo headers of HTTP/2 begin with a colon, which `Headers` throws for.
    typeof name !== "string" || name.startsWith(":") ? undefined : (own.get(name) ?? headers.get(name) ?? undefined),
  set({ own }, name, value) {
    own.set(name as string, value as string);
    return true;
  },
};

/** All of them, with names in lower case. */
export const readHeaders = (headers: Headers): WireHeaders => Object.fromEntries(headers);
