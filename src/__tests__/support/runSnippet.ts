import ts from "typescript";
import type { Snippet } from "./readSnippets";
import { runProgram, type Outcome } from "./runProgram";

/**
 * Runs a snippet as a program of its own, against the built package under its published name.
 *
 * @param timeoutMs after it the program is killed. Default 50 s.
 */
export function runSnippet({ code }: Pick<Snippet, "code">, timeoutMs = 50_000): Promise<Outcome> {
  return runProgram(["--input-type=module", "-"], { input: toProgram(code), timeoutMs });
}

/** The JavaScript that Node runs of a snippet. */
export function toProgram(code: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}
