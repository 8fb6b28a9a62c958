import { posix } from "node:path";
import { isBindableName } from "../../../relay/publicUrl";
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
    throw new TypeError(`${option}: name has "${unknownName}", which no binding can have.`);
  }
  const badHost = hosts?.find((pattern) => !/^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)$/.test(pattern));
  if (badHost !== undefined) {
    throw new TypeError(`${option}: host has "${badHost}", which is no host name and no "*." before one.`);
  }
  const badPath = paths?.find((pattern) => !pattern.startsWith("/") || pattern.slice(0, -1).includes("*"));
  if (badPath !== undefined) {
    throw new TypeError(`${option}: path has "${badPath}", which must begin with "/" and have "*" at its end only.`);
  }
  return {
    order,
    mayServe: (served) => names === undefined || (served !== undefined && names.includes(served)),
    matches: (visitor) =>
      (methods === undefined || methods.includes(visitor.method)) &&
      (hosts === undefined || hosts.some((pattern) => matchesHost(pattern, visitor.host))) &&
      (paths === undefined || matchesPath(paths, visitor.target)),
  };
}

const matchesHost = (pattern: string, host: string): boolean =>
  pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;

function matchesPath(patterns: readonly string[], target: string): boolean {
  const path = plainPath(target);
  return patterns.some((pattern) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern));
}

/** As applications read it, so that no spelling of a path leads past a hook. */
function plainPath(target: string): string {
  const path = target.split(/[?#]/, 1)[0] as string;
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // It is compared as it is.
  }
  return posix.normalize(decoded.replace(/\\/g, "/").replace(/^\/+/, "/"));
}

function listOf(option: string, member: string, value: string | readonly string[] | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown[] = [value].flat();
  if (list.length === 0 || list.some((each) => typeof each !== "string" || each === "")) {
    throw new TypeError(`${option}: ${member} must be a text or a list of texts, none of them empty.`);
  }
  return list as string[];
}
