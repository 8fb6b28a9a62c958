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

/** The path of a call, and what it is the path of. */
export interface CallPath {
  readonly target: WireTarget;
  readonly path: string;
}

/**
 * Writes what a call addresses.
 *
 * @param last what was written before: calls of one turn are most often those of one task
 * @returns `undefined` for an id that is no text
 */
export function callPathOf(target: WireTarget, last: CallPath | undefined): CallPath | undefined {
  const { kind, id } = target;
  if (last?.target.id === id && last.target.kind === kind) return last;
  try {
    return { target, path: `/${kind}/${encodeURIComponent(id)}` };
  } catch {
    return undefined;
  }
}

/** What follows the number of a call in its line. */
export interface CallLine {
  readonly path: string;
  readonly headers: string;
  /** Without line breaks. */
  readonly body: string;
  /** How many bytes the line takes, and for short ones how many it may take at most. */
  readonly bytes: number;
}

/** @returns `undefined` for a call that cannot be written in one line */
export function callLineOf({ path }: CallPath, headers: string, text: string): CallLine | undefined {
  try {
    // Serializers may indent.
    const body = text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text;
    return { path, headers, body, bytes: lineBytesOf(path.length + besideChars, headers, body) };
  } catch {
    // A serializer of another format than JSON.
    return undefined;
  }
}

function lineBytesOf(otherBytes: number, headers: string, body: string): number {
  const mostBytes = otherBytes + 3 * (headers.length + body.length);
  return mostBytes < exactFromBytes ? mostBytes : otherBytes + bytesOf(headers) + bytesOf(body);
}

/** The number, and what stands between the parts. */
const besideChars = 13;
const exactFromBytes = 4096;

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;
