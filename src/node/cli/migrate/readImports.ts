import type { Token } from "./tokens";

/** What a source file takes from one module, in one place. */
export interface ImportedModule {
  readonly specifier: string;
  readonly line: number;
  readonly names: readonly ImportedName[];
  /** The local name of the whole module, where it has one. */
  readonly namespace?: string;
}

export interface ImportedName {
  readonly name: string;
  readonly local: string;
  readonly line: number;
  /** Whether it is said to be a type. */
  readonly isType: boolean;
}

/** The imports of a file: static, `export … from`, `import()`, `require()`, `import x = require()`. */
export function readImports(tokens: readonly Token[]): ImportedModule[] {
  const modules: ImportedModule[] = [];
  tokens.forEach(({ kind, text }, index) => {
    if (kind !== "word" || isMark(tokens[index - 1], ".")) return;
    const found =
      text === "import" || text === "export"
        ? (readStatement(tokens, index) ?? readCall(tokens, index))
        : text === "require"
          ? readCall(tokens, index)
          : undefined;
    if (found !== undefined) modules.push(found);
  });
  return modules;
}

const isMark = (token: Token | undefined, text: string): boolean => token?.kind === "mark" && token.text === text;
const isWord = (token: Token | undefined, text?: string): boolean =>
  token?.kind === "word" && (text === undefined || token.text === text);

/** `import a, { b as c } from "x"`, `import * as a from "x"`, `import "x"`, and the same of `export`. */
function readStatement(tokens: readonly Token[], start: number): ImportedModule | undefined {
  let at = start + 1;
  const isType = isWord(tokens[at], "type") && !isWord(tokens[at + 1], "from") && !isMark(tokens[at + 1], ",");
  if (isType) at += 1;
  const names: ImportedName[] = [];
  let namespace: string | undefined;

  if (tokens[at]?.kind === "string") return finish(tokens, at, names, namespace);
  if (isWord(tokens[at]) && isWord(tokens[start], "import")) {
    const { text, line } = tokens[at] as Token;
    names.push({ name: "default", local: text, line, isType });
    at += 1;
    if (isMark(tokens[at], ",")) at += 1;
  }
  if (isMark(tokens[at], "*")) {
    at += 1;
    if (isWord(tokens[at], "as")) {
      namespace = tokens[at + 1]?.text;
      at += 2;
    }
  } else if (isMark(tokens[at], "{")) {
    const list = readNames(tokens, at, isType);
    names.push(...list.names);
    at = list.end;
  }
  return isWord(tokens[at], "from") ? finish(tokens, at + 1, names, namespace) : undefined;
}

function finish(
  tokens: readonly Token[],
  at: number,
  names: readonly ImportedName[],
  namespace: string | undefined,
): ImportedModule | undefined {
  const token = tokens[at];
  if (token?.kind !== "string") return undefined;
  return { specifier: token.text, line: token.line, names, ...(namespace !== undefined && { namespace }) };
}

/** `{ a, type b, c as d }`, or with `:` in the place of `as` for a destructuring. */
function readNames(
  tokens: readonly Token[],
  open: number,
  isType: boolean,
): { readonly names: ImportedName[]; readonly end: number } {
  const names: ImportedName[] = [];
  let at = open + 1;
  while (at < tokens.length && !isMark(tokens[at], "}")) {
    const token = tokens[at] as Token;
    if (token.kind !== "word") {
      at += 1;
      continue;
    }
    const isTypeName = token.text === "type" && isWord(tokens[at + 1]) && !isWord(tokens[at + 1], "as");
    const { text: name, line } = (isTypeName ? tokens[at + 1] : token) as Token;
    at += isTypeName ? 2 : 1;
    let local = name;
    if (isWord(tokens[at], "as") || isMark(tokens[at], ":")) {
      local = tokens[at + 1]?.text ?? name;
      at += 2;
    }
    names.push({ name, local, line, isType: isType || isTypeName });
    // A default of a destructuring, as in `{ a = 1 }`.
    while (at < tokens.length && !isMark(tokens[at], ",") && !isMark(tokens[at], "}")) at += 1;
  }
  return { names, end: at + 1 };
}

/** `require("x")` and `import("x")`, with what their value is given to. */
function readCall(tokens: readonly Token[], start: number): ImportedModule | undefined {
  const [open, specifier] = [tokens[start + 1], tokens[start + 2]];
  if (!isMark(open, "(") || specifier?.kind !== "string") return undefined;
  const module = { specifier: specifier.text, line: specifier.line };

  const member = tokens[start + 5];
  if (isMark(tokens[start + 3], ")") && isMark(tokens[start + 4], ".") && member?.kind === "word") {
    return { ...module, names: [{ name: member.text, local: member.text, line: member.line, isType: false }] };
  }
  let at = start - 1;
  if (isWord(tokens[at], "await")) at -= 1;
  if (!isMark(tokens[at], "=")) return { ...module, names: [] };
  const target = tokens[at - 1];
  if (target?.kind === "word") return { ...module, names: [], namespace: target.text };
  if (!isMark(target, "}")) return { ...module, names: [] };
  let depth = 0;
  for (at -= 1; at >= 0; at -= 1) {
    if (isMark(tokens[at], "}")) depth += 1;
    if (isMark(tokens[at], "{") && --depth === 0) return { ...module, names: readNames(tokens, at, false).names };
  }
  return { ...module, names: [] };
}

/** The chains of members read from a local name: `globals.middleware.task` is `["middleware", "task"]`. */
export function readMembers(
  tokens: readonly Token[],
  local: string,
): { readonly path: readonly string[]; readonly line: number }[] {
  const chains: { path: string[]; line: number }[] = [];
  tokens.forEach((token, index) => {
    if (!isWord(token, local) || isMark(tokens[index - 1], ".")) return;
    const path: string[] = [];
    let at = index + 1;
    for (;;) {
      if (isMark(tokens[at], "?")) at += 1;
      const member = tokens[at + 1];
      if (!isMark(tokens[at], ".") || member?.kind !== "word") break;
      path.push(member.text);
      at += 2;
    }
    if (path.length > 0) chains.push({ path, line: token.line });
  });
  return chains;
}
