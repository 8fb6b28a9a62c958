import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { readTokens, type Token } from "./tokens";

/** A source file, as far as the checks look at it. */
export interface SourceFile {
  /** Relative to the folder that was scanned, with `/`. */
  readonly path: string;
  readonly tokens: readonly Token[];
}

/** How much was read, and what was left out. */
export interface ScanSummary {
  readonly files: number;
  /** Said of what was not read, in sentences. */
  readonly notes: readonly string[];
}

/** Bounds of a scan; a project beyond them is checked in part, and the summary says so. */
export interface ScanLimits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly maxDepth: number;
}

export const defaultScanLimits: ScanLimits = {
  maxFiles: 20_000,
  maxFileBytes: 2 * 2 ** 20,
  maxTotalBytes: 256 * 2 ** 20,
  maxDepth: 40,
};

const isSource = (name: string): boolean => /\.[cm]?[jt]sx?$/.test(name) && !/\.d\.[cm]?ts$/.test(name);
/** Folders that hold what others wrote, or what a build made. */
const foreign = /* @__PURE__ */ new Set(["node_modules", "dist", "build", "out", "coverage", "bower_components"]);

/**
 * Hands over the source files below a folder, one after another. Links are not followed; `node_modules`, hidden folders
 * and the usual names of build output are left out.
 */
export function scanSources(
  folder: string,
  visit: (file: SourceFile) => void,
  limits: ScanLimits = defaultScanLimits,
): ScanSummary {
  let files = 0;
  let bytes = 0;
  let tooLarge = 0;
  let unreadable = 0;
  const notes: string[] = [];
  const folders = [{ path: folder, depth: 0 }];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const { path, depth } = next;
    const subfolders: typeof folders = [];
    for (const entry of readFolder(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!foreign.has(entry.name) && !entry.name.startsWith(".") && depth < limits.maxDepth)
          subfolders.push({ path: child, depth: depth + 1 });
        continue;
      }
      if (!entry.isFile() || !isSource(entry.name)) continue;
      if (files >= limits.maxFiles || bytes >= limits.maxTotalBytes) {
        const limit = files >= limits.maxFiles ? `${limits.maxFiles} files` : `${limits.maxTotalBytes} bytes`;
        notes.push(`Reading stopped after ${limit}; run the command in a smaller folder for the rest.`);
        return { files, notes };
      }
      const text = readText(child, limits.maxFileBytes);
      if (typeof text !== "string") {
        if (text.tooLarge) tooLarge += 1;
        else unreadable += 1;
        continue;
      }
      files += 1;
      bytes += text.length;
      visit({ path: relative(folder, child).split(sep).join("/"), tokens: readTokens(text) });
    }
    folders.push(...subfolders.toReversed());
  }
  if (tooLarge > 0) notes.push(`${tooLarge} source files of more than ${limits.maxFileBytes} bytes were left out.`);
  if (unreadable > 0) notes.push(`${unreadable} source files could not be read.`);
  return { files, notes };
}

function readFolder(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function readText(path: string, maxBytes: number): string | { readonly tooLarge: boolean } {
  try {
    return statSync(path).size > maxBytes ? { tooLarge: true } : readFileSync(path, "utf8");
  } catch {
    return { tooLarge: false };
  }
}
