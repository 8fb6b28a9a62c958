import { describeValue, tagOf } from "../lib/describeValue";
import { isRunnerError } from "./defineError";
import { isError } from "./normaliseThrown";

/** One problem found by a schema, as it travels to a caller. */
export interface ValidationIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const maxIssues = 20;
const maxMessageLength = 200;

/**
 * Reads the issues of a schema failure: Standard Schema and zod carry a list, any other error is one issue without path.
 *
 * @returns at most 20 issues, each message cut at 200 characters
 */
export function readIssues(failure: unknown): readonly ValidationIssue[] {
  const listed = (failure as { issues?: unknown } | null | undefined)?.issues;
  if (!Array.isArray(listed) || listed.length === 0) {
    return [{ path: [], message: cut(isError(failure) ? failure.message : describeValue(failure)) }];
  }
  return listed.slice(0, maxIssues).map((issue: { path?: unknown; message?: unknown } | null) => ({
    path: Array.isArray(issue?.path) ? issue.path.map(readKey) : [],
    message: cut(describeValue(issue?.message ?? "Invalid value")),
  }));
}

/** One line for all issues: `path.to.field: message` joined by `; `. */
export function describeIssues(issues: readonly ValidationIssue[]): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message)).join("; ");
}

function readKey(segment: unknown): string | number {
  const key: unknown = typeof segment === "object" && segment !== null ? (segment as { key?: unknown }).key : segment;
  return typeof key === "number" ? key : describeValue(key);
}

const cut = (message: string): string => message.slice(0, maxMessageLength);

/**
 * Whether a schema failed by accident instead of refusing a value: an error of the engine, of the platform, of a
 * system call or of this framework speaks of the inside of the process, so a remote caller must not read it.
 *
 * By name rather than by class: libraries derive their refusals from `TypeError`, and errors of other realms count.
 */
export function isAccidental(failure: string | Error): boolean {
  if (typeof failure === "string") return false;
  const { name, code, issues } = failure as { name?: unknown; code?: unknown; issues?: unknown };
  if (Array.isArray(issues) && issues.length > 0) return false;
  return (
    engineErrors.has(name) ||
    "syscall" in failure ||
    tagOf(failure) === "[object DOMException]" ||
    (isRunnerError(failure) && failure.id.startsWith("runner.errors.")) ||
    // Node's own; its assertions are how many schemas refuse.
    (typeof code === "string" && code.startsWith("ERR_") && code !== "ERR_ASSERTION")
  );
}

const engineErrors: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  "AggregateError",
  "CompileError",
  "EvalError",
  "LinkError",
  "RangeError",
  "ReferenceError",
  "RuntimeError",
  "SuppressedError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);
