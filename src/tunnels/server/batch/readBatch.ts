import { invalidBatch, payloadTooLarge } from "../../../errors/wireErrors";
import { perCallHeaders, type ResolvedBatchLimits } from "../../protocol/batch";
import { parseTarget } from "../../protocol/paths";
import type { WireHeaders, WireTarget } from "../../protocol/wire";

/** One call of a batch, as its line says it. */
export interface SentCall {
  /** What its reply is marked with. */
  readonly n: number;
  readonly target: WireTarget;
  /** Those of the line alone; absent where it has none. */
  readonly headers: WireHeaders | undefined;
  readonly text: string;
}

/** Longest list of headers of one call, in characters: as much as Node reads of a request. */
const headerChars = 16_384;

/**
 * Reads the body of a batch: lines `<n> /task/<encoded id> <JSON of headers> <body>`.
 *
 * All of it is checked before anything is made of it, so that a batch runs whole or not at all.
 *
 * @param isCredential names of headers that only the request itself may have
 * @throws {WireFailure} 400 for what makes no sense, 413 for more lines than the limit
 */
export function readBatch(
  text: string,
  { lines: limit }: Pick<ResolvedBatchLimits, "lines">,
  isCredential: (name: string) => boolean,
): SentCall[] {
  const calls: SentCall[] = [];
  let highest = -1;
  /** Made for those that are in no order, which no client of ours sends. */
  let seen: Set<number> | undefined;
  for (let from = 0; from < text.length;) {
    const at = text.indexOf("\n", from);
    const to = at === -1 ? text.length : at;
    if (calls.length === limit) throw payloadTooLarge(`A batch may have ${limit} calls (http.limits.batch.lines)`);
    const call = readLine(text.slice(from, to), calls.length + 1, isCredential);
    if (seen === undefined && call.n > highest) highest = call.n;
    else {
      seen ??= new Set(calls.map(({ n }) => n));
      if (seen.has(call.n)) throw invalidBatch(`${call.n} stands before two calls.`);
      seen.add(call.n);
    }
    calls.push(call);
    from = to + 1;
  }
  if (calls.length === 0) throw invalidBatch("it has no call.");
  return calls;
}

/** Whole, without leading zeros, and far below what loses digits. */
const wholeNumber = /^(?:0|[1-9]\d{0,8})$/;

function readLine(line: string, lineNumber: number, isCredential: (name: string) => boolean): SentCall {
  const fail = (what: string): Error => invalidBatch(`line ${lineNumber} ${what}`);
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const third = line.indexOf(" ", second + 1);
  if (first === -1 || second === -1 || third === -1) throw fail("is not <n> <path> <headers> <body>.");
  const n = line.slice(0, first);
  if (!wholeNumber.test(n)) throw fail("does not begin with a whole number below a billion.");
  const target = parseTarget(line.slice(first + 1, second));
  if (target?.kind !== "task" && target?.kind !== "event") throw fail("addresses no task and no event.");
  const written = line.slice(second + 1, third);
  const headers = written === "{}" ? undefined : readHeaders(written, fail, isCredential);
  return { n: Number(n), target, headers, text: line.slice(third + 1) };
}

/** Tabs and what can be seen, as RFC 9110 §5.5 has it: they may go out again as headers of a request. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function readHeaders(text: string, fail: (what: string) => Error, isCredential: (name: string) => boolean) {
  if (text.length > headerChars) throw fail(`has more than ${headerChars} characters of headers.`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw fail("has headers that are no JSON.");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw fail("has headers that are no object.");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed)) {
    const isKnown = perCallHeaders.has(name);
    if (!isKnown && (!name.startsWith("x-runner-") || isCredential(name))) {
      throw fail(`has the header ${JSON.stringify(name.slice(0, 64))}, which a call of a batch cannot have.`);
    }
    if (typeof value !== "string" || !fieldValue.test(value)) throw fail(`has no text for ${name}.`);
    // Later versions may send more.
    if (isKnown) headers[name] = value;
  }
  return headers;
}
