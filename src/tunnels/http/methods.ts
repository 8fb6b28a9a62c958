import type { WireTarget } from "../protocol/wire";

/** Whether a method does for a target. */
export const isAllowed = (method: string | undefined, { kind }: WireTarget): boolean =>
  method === "POST" || (method === "GET" && kind === "discovery");

/** Those that would do, as `Allow` of a 405 lists them (RFC 9110 §15.5.6). */
export const methodsOf = ({ kind }: WireTarget): string =>
  kind === "discovery" ? "GET, POST, OPTIONS" : "POST, OPTIONS";
