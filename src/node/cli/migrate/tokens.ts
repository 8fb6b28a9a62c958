/** A piece of JavaScript or TypeScript source that is neither a comment nor white space. */
export interface Token {
  readonly kind: "word" | "string" | "mark";
  /** A word as written, the content of a string, or one character of punctuation. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** After these words a `/` begins a regular expression. */
const beforeExpression = /* @__PURE__ */ new Set([
  "await",
  "case",
  "delete",
  "do",
  "else",
  "in",
  "new",
  "of",
  "return",
  "throw",
  "typeof",
  "void",
  "yield",
]);

/**
 * Splits source text into tokens, in one pass and without judging it: any text gives tokens.
 *
 * Comments, regular expressions and the text of templates with `${` are left out. A quote that is not closed on its
 * line is punctuation, since it stands in the text of JSX or in a file that does not parse.
 */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  /** For each open `${`, the braces that were open before it. */
  const templates: number[] = [];
  let braces = 0;
  let line = 1;
  let at = 0;

  const push = (kind: Token["kind"], content: string): void => void tokens.push({ kind, text: content, line });
  /** The end of the current line; looked for once a line, since a line may be megabytes long. */
  let newline = indexOrEnd(text, "\n", 0);
  const skipTo = (end: number): void => {
    for (; newline < end; newline = indexOrEnd(text, "\n", newline + 1)) line += 1;
    at = end;
  };
  const readTemplate = (): void => {
    const end = endOfTemplate(text, at);
    if (text[end] === "`") {
      const isWhole = text[at - 1] === "`";
      if (isWhole) push("string", text.slice(at, end));
      skipTo(end + 1);
    } else if (end < text.length) {
      templates.push(braces);
      skipTo(end + 2);
    } else {
      skipTo(end);
    }
  };

  while (at < text.length) {
    const char = text[at] as string;
    if (char === "\n") skipTo(at + 1);
    else if (char === " " || char === "\t" || char === "\r") at += 1;
    else if (char === "/" && text[at + 1] === "/") skipTo(indexOrEnd(text, "\n", at));
    else if (char === "/" && text[at + 1] === "*") skipTo(Math.min(indexOrEnd(text, "*/", at + 2) + 2, text.length));
    else if (char === "`") {
      at += 1;
      readTemplate();
    } else if (char === '"' || char === "'") {
      const end = endOfString(text, at);
      push(end === undefined ? "mark" : "string", end === undefined ? char : text.slice(at + 1, end - 1));
      skipTo(end ?? at + 1);
    } else if (char === "/" && mayBeginExpression(tokens.at(-1))) {
      const end = endOfExpression(text, at);
      if (end === undefined) push("mark", char);
      skipTo(end ?? at + 1);
    } else if (isWordPart(char)) {
      const start = at;
      while (at < text.length && isWordPart(text[at] as string)) at += 1;
      push("word", text.slice(start, at));
    } else if (char === "}" && templates.at(-1) === braces) {
      templates.pop();
      at += 1;
      readTemplate();
    } else {
      if (char === "{") braces += 1;
      if (char === "}" && braces > 0) braces -= 1;
      push("mark", char);
      at += 1;
    }
  }
  return tokens;
}

const isWordPart = (char: string): boolean => /[\p{L}\p{N}_$]/u.test(char);

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from);
  return index === -1 ? text.length : index;
}

/** @returns the index behind the closing quote; `undefined` where the line ends first */
function endOfString(text: string, start: number): number | undefined {
  const quote = text[start];
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === quote) return index + 1;
    if (text[index] === "\\") index += 1;
    else if (text[index] === "\n") return undefined;
  }
  return undefined;
}

/** @returns the index of the closing backtick or of `${`; the length of the text where there is neither */
function endOfTemplate(text: string, start: number): number {
  for (let index = start; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === "`" || (text[index] === "$" && text[index + 1] === "{")) return index;
  }
  return text.length;
}

function mayBeginExpression(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === "word") return beforeExpression.has(previous.text);
  // `</div>` of JSX begins none.
  return previous.kind === "mark" && !")]}<".includes(previous.text);
}

/** Longer ones are not recognised: each `/` would be followed to the end of a line that may be megabytes long. */
const maxExpressionLength = 300;

/** @returns the index behind a regular expression, without its flags; `undefined` where the line ends first */
function endOfExpression(text: string, start: number): number | undefined {
  const end = Math.min(text.length, start + maxExpressionLength);
  let inClass = false;
  for (let index = start + 1; index < end; index += 1) {
    const char = text[index];
    if (char === "\n") return undefined;
    if (char === "\\") index += 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return index + 1;
  }
  return undefined;
}
