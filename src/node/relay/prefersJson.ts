import type { IncomingMessage } from "node:http";

/**
 * Whether a visitor asks for JSON rather than HTML: it names JSON, and values HTML less.
 *
 * Where JSON is named and HTML is only among a range of the same weight, JSON is meant. A visitor that names neither is sent HTML
 * for what a browser shows, GET and HEAD, and JSON otherwise: programs that send something, our own clients among them, read
 * the code of a failure from it.
 *
 * @see RFC 9110 §12.5.1
 */
export function prefersJson({
  method,
  headers: { accept = "" },
}: Pick<IncomingMessage, "method" | "headers">): boolean {
  if (!/json/i.test(accept)) return !/text\/html/i.test(accept) && method !== "GET" && method !== "HEAD";
  const ranges = accept.split(",").map(readRange);
  const weightOf = (types: RegExp): number | undefined => {
    const weights = ranges.filter(({ type }) => types.test(type)).map(({ weight }) => weight);
    return weights.length === 0 ? undefined : Math.max(...weights);
  };
  const json = weightOf(/^application\/([\w.-]+\+)?json$/) ?? 0;
  const html = weightOf(/^text\/html$/);
  if (json === 0) return false;
  return html === undefined ? json >= (weightOf(/^(text|\*)\/\*$/) ?? 0) : json > html;
}

function readRange(range: string): { readonly type: string; readonly weight: number } {
  const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const stated = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = stated === undefined ? 1 : Number(stated.slice(2));
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
