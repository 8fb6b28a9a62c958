import type { RequestFilter } from "./requestLog";

const mostListed = 500;

/** Reads which requests are asked for. @returns a sentence that says what is wrong */
export function readRequestFilter(query: URLSearchParams): RequestFilter | string {
  const text = (name: string): string | undefined => query.get(name)?.slice(0, 256) || undefined;
  const limit = wholeNumber(query.get("limit") ?? "100");
  if (limit === undefined || limit < 1 || limit > mostListed) {
    return `limit must be a whole number from 1 to ${mostListed}.`;
  }
  const stated = query.get("status");
  const status = stated === null ? undefined : wholeNumber(stated);
  if (stated !== null && (status === undefined || status < 100 || status > 599)) {
    return "status must be a whole number from 100 to 599.";
  }
  return { limit, status, after: text("after"), method: text("method"), name: text("name") };
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,6}$/.test(text) ? Number(text) : undefined);
