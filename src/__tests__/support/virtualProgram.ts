import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { root } from "./root";

const entries = {
  "@bluelibs/runner": "src/index.ts",
  "@bluelibs/runner/edge": "src/index.ts",
  "@bluelibs/runner/defs": "src/index.ts",
  "@bluelibs/runner/node": "src/node/index.ts",
  "@bluelibs/runner/otel": "src/node/otel/index.ts",
  "@bluelibs/runner/nats": "src/node/nats/index.ts",
  "@bluelibs/runner/errors": "src/errors/index.ts",
  "@bluelibs/runner/platform/createFile": "src/platform/createFile.ts",
};

/** What a user's project has: `strict`, and none of our stricter options. */
export const userOptions: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  types: ["node", "jest"],
  skipLibCheck: true,
  noEmit: true,
  paths: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [join(root, path)]])),
};

/** Files as the programs of one test file have read them: reading those of the language takes longer than checking ours. */
const readFiles = new Map<string, ts.SourceFile>();

/**
 * A program of files that exist only in memory, next to the real ones: the package's name leads to `src`.
 *
 * @param texts file contents by path, relative to the root
 */
export function createVirtualProgram(texts: ReadonlyMap<string, string>): ts.Program {
  const virtual = new Map([...texts].map(([path, text]) => [join(root, path), text]));
  const host = ts.createCompilerHost(userOptions);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  const parents = new Set([...virtual.keys()].map((path) => resolve(path, "..")));

  host.getCurrentDirectory = () => root;
  host.fileExists = (path) => virtual.has(resolve(path)) || fileExists(path);
  host.readFile = (path) => virtual.get(resolve(path)) ?? readFile(path);
  host.directoryExists = (path) => parents.has(resolve(path)) || (directoryExists?.(path) ?? existsSync(path));
  host.getSourceFile = (path, target, ...rest) => {
    const text = virtual.get(resolve(path));
    if (text !== undefined) return ts.createSourceFile(path, text, target);
    const file = readFiles.get(path) ?? getSourceFile(path, target, ...rest);
    if (file !== undefined) readFiles.set(path, file);
    return file;
  };
  return ts.createProgram([...virtual.keys()], userOptions, host);
}

/** One mistake in a virtual file; `line` counts from 0. */
export interface Mistake {
  readonly line: number;
  readonly message: string;
}

/** Checks one file of the program, and nothing else of it. */
export function mistakesIn(program: ts.Program, path: string): Mistake[] {
  const file = program.getSourceFile(join(root, path));
  if (!file) throw new Error(`"${path}" is not part of the program.`);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((diagnostic) => ({
    line: file.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line,
    message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"),
  }));
}
