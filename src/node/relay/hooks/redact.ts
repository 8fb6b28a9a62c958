import { Readable } from "node:stream";
import { findCoding, type ContentCoding } from "../../contentCodings";
import type { RequestHook, ResponseHook } from "./hook";
import type { TunnelBodyTransform, TunnelHeaders, TunnelHookScope } from "./hookContract";
import { createTextRedactor } from "./redactText";

/** Configures `globals.tunnelHooks.redact`. */
export interface RedactHookConfig extends TunnelHookScope {
  /** Texts, and expressions of up to `maxMatchChars` characters. */
  readonly patterns: readonly (string | RegExp)[];
  /** Default "[redacted]". */
  readonly replacement?: string | undefined;
  /** Which bodies, as far as they are text. Default "response". */
  readonly of?: "request" | "response" | "both" | undefined;
  /** Longest match that is found, in characters. Default 256, at most 65,536. */
  readonly maxMatchChars?: number | undefined;
}

type Part<Hook> = Omit<Hook, "order" | "mayServe" | "matches">;

interface Redaction {
  readonly patterns: readonly RegExp[];
  readonly replacement: string;
  readonly maxMatchChars: number;
}

/** @throws {TypeError} the config cannot be meant */
export function compileRedact(
  option: string,
  { patterns, replacement = "[redacted]", of = "response", maxMatchChars = 256 }: RedactHookConfig,
): readonly (Part<RequestHook> | Part<ResponseHook>)[] {
  const list: readonly unknown[] = Array.isArray(patterns) ? patterns : [];
  if (
    list.length === 0 ||
    list.some((each) => !(each instanceof RegExp || (typeof each === "string" && each !== "")))
  ) {
    throw new TypeError(`${option}: patterns must be a list of texts and expressions, none of them empty.`);
  }
  if (typeof replacement !== "string") throw new TypeError(`${option}: replacement must be a text.`);
  if (of !== "request" && of !== "response" && of !== "both") {
    throw new TypeError(`${option}: of must be "request", "response" or "both".`);
  }
  const longest = Math.max(0, ...patterns.map((each) => (typeof each === "string" ? each.length : 0)));
  if (!Number.isSafeInteger(maxMatchChars) || maxMatchChars < longest || maxMatchChars < 1 || maxMatchChars > 65_536) {
    throw new TypeError(
      `${option}: maxMatchChars must be a whole number from the length of the longest text (${longest}) to 65536.`,
    );
  }
  const redaction = { patterns: patterns.map(toGlobal), replacement, maxMatchChars };
  return [
    {
      stage: "request",
      id: "redact",
      run(context) {
        if (of !== "request") askForWholeText(context.head.headers);
        if (of !== "response") redactBody(context, redaction);
      },
    },
    ...(of === "request"
      ? []
      : [{ stage: "response", id: "redact", run: (context) => redactBody(context, redaction) } as Part<ResponseHook>]),
  ];
}

/** A visitor that asked for a part, or for a form that cannot be read, would receive what is to be hidden. */
function askForWholeText(headers: TunnelHeaders): void {
  headers.set("Accept-Encoding", "identity");
  headers.delete("range");
  headers.delete("if-range");
}

const toGlobal = (pattern: string | RegExp): RegExp =>
  typeof pattern === "string"
    ? new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "g")
    : new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, "")}g`);

interface Redactable {
  readonly head: { readonly headers: TunnelHeaders };
  transformBody(transform: TunnelBodyTransform): void;
}

/** @throws {TypeError} a text in a form that cannot be read, which must not pass as it is */
function redactBody({ head: { headers }, transformBody }: Redactable, redaction: Redaction): void {
  const type = headers.get("content-type") ?? "";
  if (!isText(type)) return;
  const codings = (headers.get("content-encoding") ?? "").split(",").map((coding) => coding.trim().toLowerCase());
  const applied = codings.filter((coding) => coding !== "" && coding !== "identity").map(codingOf);
  headers.delete("content-encoding");
  headers.delete("accept-ranges");
  const charset = /charset="?([\w-]+)/i.exec(type)?.[1] ?? "utf-8";
  const decoder = new TextDecoder(charset);
  // An event of a stream of events ends with an empty line, and must arrive while the stream is silent.
  const lineBreak = /^text\/event-stream/i.test(type) ? "\n\n" : undefined;
  if (charset.toLowerCase() !== "utf-8")
    headers.set("Content-Type", type.replace(/charset="?[\w-]+"?/i, "charset=utf-8"));
  transformBody((body) => redacted(applied.reduceRight<Readable>(piped, body), decoder, redaction, lineBreak));
}

async function* redacted(
  body: Readable,
  decoder: TextDecoder,
  { patterns, replacement, maxMatchChars }: Redaction,
  lineBreak: string | undefined,
): AsyncGenerator<string> {
  const redactor = createTextRedactor(patterns, replacement, maxMatchChars, lineBreak);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const settled = redactor.push(decoder.decode(chunk, { stream: true }));
    if (settled !== "") yield settled;
  }
  const last = redactor.push(decoder.decode()) + redactor.end();
  if (last !== "") yield last;
}

const isText = (type: string): boolean =>
  type === "" || /^text\/|[/+](json|xml|javascript|x-www-form-urlencoded|graphql|x-ndjson|yaml)\b/i.test(type);

function codingOf(name: string): ContentCoding {
  const coding = findCoding(name);
  if (coding === undefined) throw new TypeError(`A body in the coding "${name}" cannot be redacted.`);
  return coding;
}

function piped(body: Readable, { createDecoder }: ContentCoding): Readable {
  const decoded = createDecoder();
  body.once("error", (error) => decoded.destroy(error));
  decoded.once("close", () => body.destroy());
  return body.pipe(decoded);
}
