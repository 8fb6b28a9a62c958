import type { WireHeaders, WireTarget } from "../../protocol/wire";
import { batchType, lineHeaders } from "./batchWords";

/** The headers of a call: those of its line, and those that it shares with others. */
export interface SplitHeaders {
  readonly headers: WireHeaders;
  /** Those of the line, as it has them. */
  readonly own: string;
  /** Those of the batch. */
  readonly shared: WireHeaders;
  /** Equal for equal ones that are shared. */
  readonly key: string;
}

/** Splits the headers of a call. @param last what was split before: most calls of a client have the very same headers */
export function splitHeaders(headers: WireHeaders, last: SplitHeaders | undefined): SplitHeaders {
  if (last?.headers === headers && Object.isFrozen(headers)) return last;
  let own: Record<string, string> | undefined;
  const shared: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (typeof value === "string" && lineHeaders.has(name)) (own ??= {})[name] = value;
    else shared[name] = value;
  }
  const key = JSON.stringify(Object.entries(shared).sort(([a], [b]) => (a < b ? -1 : 1)));
  shared["content-type"] = batchType;
  // The first three spaces cut the line.
  return { headers, own: own === undefined ? "{}" : JSON.stringify(own).replaceAll(" ", "\\u0020"), shared, key };
}

/** A call as its line has it, without the number at its beginning. */
export interface CallLine {
  /** From the path on. */
  readonly text: string;
  /** At least as many as it takes. */
  readonly bytes: number;
}

/** @returns `undefined` for a body that cannot be written in one line */
export function callLineOf({ kind, id }: WireTarget, headers: string, body: string): CallLine | undefined {
  let written: string;
  try {
    // Serializers may indent.
    written = body.includes("\n") ? JSON.stringify(JSON.parse(body)) : body;
  } catch {
    // A serializer of another format than JSON.
    return undefined;
  }
  const text = `/${kind}/${encodeURIComponent(id)} ${headers} ${written}\n`;
  return { text, bytes: prefixBytes + bytesOf(text) };
}

/** What stands before the path, and is not known yet. */
const prefixBytes = 10;

/** As much as it may be, for what is short, and exactly for the rest. */
const bytesOf = (text: string): number =>
  text.length < 1024 ? text.length * 3 : new TextEncoder().encode(text).byteLength;
