import { posix } from "node:path";
import { bindableNames, isBindableName } from "../../../relay/publicUrl";
import type { HookScope } from "./hook";
import type { TunnelHookScope } from "./hookContract";

/**
 * Compiles which exchanges a hook takes part in.
 *
 * @param option what the hook is called in messages
 * @throws {TypeError} a member cannot be meant
 */
export function compileScope(option: string, { order = 0, name, host, path, method }: TunnelHookScope): HookScope {
  if (typeof order !== "number" || Number.isNaN(order)) throw new TypeError(`${option}: order must be a number.`);
  const names = listOf(option, "name", name);
  const hosts = listOf(option, "host", host)?.map((pattern) => pattern.toLowerCase());
  const paths = listOf(option, "path", path);
  const methods = listOf(option, "method", method)?.map((each) => each.toUpperCase());
  const unknownName = names?.find((each) => !isBindableName(each));
  if (unknownName !== undefined) {
    throw new TypeError(`${option}: name has "${unknownName}", which no binding can have: ${bindableNames}.`);
  }
  const badHost = hosts?.find((pattern) => !/^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)$/.test(pattern));
  if (badHost !== undefined) {
    throw new TypeError(`${option}: host has "${badHost}", which is no host name and no "*." before one.`);
  }
  const badPath = paths?.find((pattern) => !pattern.startsWith("/") || pattern.slice(0, -1).includes("*"));
  if (badPath !== undefined) {
    throw new TypeError(`${option}: path has "${badPath}", which must begin with "/" and have "*" at its end only.`);
  }
  const pathPatterns = paths?.map(pathPatternOf);
  return {
    order,
    mayServe: (served) => names === undefined || (served !== undefined && names.includes(served)),
    matches: (visitor) =>
      (methods === undefined || methods.includes(visitor.method)) &&
      (hosts === undefined || hosts.some((pattern) => matchesHost(pattern, visitor.host))) &&
      (pathPatterns === undefined || matchesPath(pathPatterns, visitor.target)),
  };
}

const matchesHost = (pattern: string, host: string): boolean =>
  pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;

/** A pattern that is exact holds with a slash at its end as well, as routers of applications have it. */
function matchesPath(patterns: readonly PathPattern[], target: string): boolean {
  const readings = readingsOf(target);
  return patterns.some(({ text, isPrefix }) =>
    readings.some((path) => (isPrefix ? path.startsWith(text) : withoutLastSlash(path) === text)),
  );
}

interface PathPattern {
  readonly text: string;
  readonly isPrefix: boolean;
}

function pathPatternOf(pattern: string): PathPattern {
  const text = pattern.toLowerCase();
  return text.endsWith("*")
    ? { text: text.slice(0, -1), isPrefix: true }
    : { text: withoutLastSlash(text), isPrefix: false };
}

const withoutLastSlash = (path: string): string => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);

/**
 * The ways in which applications read a path: some decode it before they choose a handler and some do not, some resolve
 * `..`, some drop parameters of its parts, and many ignore case. All of them count, so that no spelling leads past a hook.
 */
function readingsOf(target: string): readonly string[] {
  const written = (target.split(/[?#]/, 1)[0] as string).toLowerCase();
  const decoded = decodeLeniently(written).toLowerCase();
  const readings = new Set([written, decoded]);
  for (const path of [written, decoded]) {
    const slashed = path.replace(/\\/g, "/");
    // RFC 3986 section 3.3: `/admin;v=1/users`, as Java's servers read it.
    for (const plain of [slashed, slashed.replace(/;[^/]*/g, "")]) {
      const joined = plain.replace(/\/{2,}/g, "/");
      readings.add(joined).add(posix.normalize(joined));
    }
  }
  return [...readings];
}

/** A sequence that is none stays as it is, and does not keep the others from being decoded. */
const decodeLeniently = (path: string): string =>
  Buffer.from(
    path.replace(/%([0-9a-f]{2})/g, (_sequence, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  ).toString();

function listOf(option: string, member: string, value: string | readonly string[] | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown[] = [value].flat();
  if (list.length === 0 || list.some((each) => typeof each !== "string" || each === "")) {
    throw new TypeError(`${option}: ${member} must be a text or a list of texts, none of them empty.`);
  }
  return list as string[];
}
