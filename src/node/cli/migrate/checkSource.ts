import { nearestName } from "../../../lib/nearestName";
import type { Finding } from "./finding";
import { packageName, type PublicApi } from "./publicApi";
import { readImports, readMembers, type ImportedModule, type ImportedName } from "./readImports";
import type { SourceFile } from "./scanSources";
import type { Token } from "./tokens";

/** What 5.x exported and 6.0 has in another form, with what to do. */
const replacements: Readonly<Record<string, string>> = {
  Store: "read the value of globals.resources.store",
  TaskRunner: "read the value of globals.resources.taskRunner",
  MiddlewareManager: "read the value of globals.resources.middlewareManager",
  RunResult: "use what run(...) resolves to",
  DependencyProcessor: "it was part of the machinery; use run(...)",
  ResourceInitializer: "it was part of the machinery; use run(...)",
  LogPrinter: "pass logs: { printStrategy, printThreshold } to run(...), or listen to globals.resources.logger",
};

/** Checks what one file takes from the package against what the package has. */
export function checkSource(file: SourceFile, api: PublicApi): Finding[] {
  const modules = readImports(file.tokens).filter(({ specifier }) => isOurs(specifier));
  return modules.flatMap((module) => checkModule(module, file, api)).map((each) => ({ ...each, file: file.path }));
}

const isOurs = (specifier: string): boolean => specifier === packageName || specifier.startsWith(`${packageName}/`);

function checkModule(module: ImportedModule, file: SourceFile, api: PublicApi): Finding[] {
  const { tokens } = file;
  const entry = `.${module.specifier.slice(packageName.length)}`;
  if (!api.entries.includes(entry)) {
    const known = api.entries.filter((each) => !each.endsWith(".json")).map((each) => packageName + each.slice(1));
    const fix = `import from one of ${known.join(", ")}.`;
    const message = `"${module.specifier}" is no entry of this version.`;
    return [{ severity: "required", rule: "noSuchEntry", message, fix, line: module.line }];
  }
  // Entries under older names are the main one; those for one thing each are left to the compiler.
  const isMain = [".", "./edge", "./defs"].includes(entry);
  if (!isMain && entry !== "./node") return [];

  const members = module.namespace === undefined ? [] : readMembers(tokens, module.namespace);
  const names = [
    ...module.names,
    ...members.map(({ path: [name = ""], line }) => ({ name, local: name, line, isType: false })),
  ];
  return [
    ...names.flatMap((name) => checkName(name, isMain, file, api)),
    ...chainsOfGlobals(module, tokens).flatMap((chain) => checkChain(chain, isMain, api)),
  ];
}

function checkName(imported: ImportedName, isMain: boolean, file: SourceFile, api: PublicApi): Finding[] {
  const { name, local, line, isType } = imported;
  const { all, values } = isMain ? api.main : api.node;
  if (all.has(name)) {
    if (values.has(name) || isType || !isNeededAsValue(local, file)) return [];
    const message = `"${name}" is a type in this version and cannot be constructed.`;
    const fix = replacements[name] ?? "use it in annotations alone";
    return [{ severity: "required", rule: "typeOnly", message, fix: `${fix}.`, name, line }];
  }
  if (isMain && api.node.all.has(name)) {
    const message = `"${name}" is exported by "${packageName}/node" alone; 5.x had it in the main entry under Node, too.`;
    const fix = `import { ${name} } from "${packageName}/node".`;
    return [{ severity: "required", rule: "movedToNode", message, fix, name, line }];
  }
  const similar = replacements[name] === undefined ? nearestName(name, [...all]) : undefined;
  const fix =
    replacements[name] ??
    (similar === undefined ? 'see "Not in this version" of readmes/MIGRATIONS.md' : `did you mean "${similar}"?`);
  const message = `"${name}" is not exported by "${packageName}${isMain ? "" : "/node"}" in this version.`;
  return [{ severity: "required", rule: "notExported", message, fix: withStop(fix), name, line }];
}

const withStop = (sentence: string): string => (/[.?]$/.test(sentence) ? sentence : `${sentence}.`);

/** TypeScript drops imports of which only the type is used. */
const isNeededAsValue = (local: string, { path, tokens }: SourceFile): boolean =>
  /\.[cm]?jsx?$/.test(path) || isUsedAsValue(local, tokens);

/** `new X(`, `X.member`, `extends X`, `instanceof X`. */
function isUsedAsValue(local: string, tokens: readonly Token[]): boolean {
  return tokens.some(({ kind, text }, index) => {
    if (kind !== "word" || text !== local) return false;
    const [before, after] = [tokens[index - 1], tokens[index + 1]];
    if (before?.kind === "word" && ["new", "instanceof"].includes(before.text)) return true;
    return (
      (before?.text === "extends" && isClassHead(tokens, index)) ||
      (after?.kind === "mark" && after.text === "." && before?.text !== ".")
    );
  });
}

/** `class A extends X {`, and not `interface A extends X` or a bound of a type parameter. */
const isClassHead = (tokens: readonly Token[], index: number): boolean =>
  [tokens[index - 2], tokens[index - 3]].some((token) => token?.text === "class");

interface Chain {
  readonly path: readonly string[];
  readonly line: number;
}

function chainsOfGlobals({ names, namespace }: ImportedModule, tokens: readonly Token[]): Chain[] {
  const direct = names.filter(({ name }) => name === "globals").flatMap(({ local }) => readMembers(tokens, local));
  if (namespace === undefined) return direct;
  const through = readMembers(tokens, namespace)
    .filter(({ path: [first] }) => first === "globals")
    .map(({ path, line }) => ({ path: path.slice(1), line }));
  return [...direct, ...through];
}

function checkChain({ path, line }: Chain, isMain: boolean, api: PublicApi): Finding[] {
  const missing = missingMember(path, isMain ? api.mainGlobals : api.nodeGlobals);
  if (missing === undefined) return [];
  const name = `globals.${missing.path.join(".")}`;
  if (isMain && missingMember(path, api.nodeGlobals) === undefined) {
    const message = `"${name}" is part of the globals of "${packageName}/node" alone.`;
    const fix = `import { globals } from "${packageName}/node".`;
    return [{ severity: "required", rule: "movedToNode", message, fix, line }];
  }
  const similar = nearestName(missing.path.at(-1) ?? "", Object.keys(missing.parent));
  const fix =
    similar === undefined ? 'see "Not in this version" of readmes/MIGRATIONS.md.' : `did you mean "${similar}"?`;
  return [
    { severity: "required", rule: "noSuchBuiltin", message: `"${name}" is not part of this version.`, fix, line },
  ];
}

/** The first member of a chain that is not there; what definitions have is their own business. */
function missingMember(path: readonly string[], globals: object): { path: string[]; parent: object } | undefined {
  let parent = globals;
  for (const [index, name] of path.entries()) {
    if (!Object.hasOwn(parent, name)) return { path: path.slice(0, index + 1), parent };
    const member: unknown = (parent as Record<string, unknown>)[name];
    if (typeof member !== "object" || member === null || "id" in member) return undefined;
    parent = member;
  }
  return undefined;
}
