import { symbolFilePath } from "./symbols";

/** The one frame of what called a definer; V8 formats it on first access and keeps the result. */
interface CallSite {
  readonly stack?: string;
}

/** What gives the path of a definition's file: where it was made, or what works it out. */
export type FilePath = CallSite | (() => string);

/**
 * Remembers the file that called `definer`; the path is worked out when it is read.
 *
 * An application keeps one per definition, so this costs the capture of one frame and nothing else.
 *
 * @returns what gives the path, or `"unknown"` off Node and where `Error` is read-only
 */
export function captureFilePath(definer: (...args: never[]) => unknown): FilePath {
  if (typeof globalThis.process?.versions?.node !== "string" || typeof Error.captureStackTrace !== "function") {
    return unknownPath;
  }
  // V8 makes a dictionary of what it gives a stack; without a prototype it is one from the start.
  const callSite = Object.create(null) as CallSite;
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 1;
    Error.captureStackTrace(callSite, definer);
    Error.stackTraceLimit = limit;
  } catch {
    return unknownPath;
  }
  return callSite;
}

/** Where a definition keeps what gives its path. Not enumerable, so that copies by spread lack it. */
const symbolFilePathSource: unique symbol = /* @__PURE__ */ Symbol("filePathSource");

interface Located {
  readonly [symbolFilePathSource]?: FilePath;
}

/** One accessor for all definitions: of an accessor for each of them, engines make a dictionary of each of them. */
const filePathAccessor: PropertyDescriptor & ThisType<Located> = {
  get() {
    return readFilePath(this[symbolFilePathSource] ?? unknownPath);
  },
  enumerable: true,
};

/** Shows the path of a definition's file on it, as a property that works the path out when it is read. */
export function withFilePath<D extends object>(definition: D, filePath: FilePath): D {
  Object.defineProperty(definition, symbolFilePath, filePathAccessor);
  return Object.defineProperty(definition, symbolFilePathSource, { value: filePath });
}

const unknownPath = (): string => "unknown";

/** The path behind it. */
export function readFilePath(source: FilePath): string {
  try {
    return typeof source === "function" ? source() : readFileName(source);
  } catch {
    return "unknown";
  }
}

function readFileName(callSite: CallSite): string {
  const prepare = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (_error, frames) => frames[0]?.getFileName() ?? "unknown";
    const path: unknown = callSite.stack;
    return typeof path === "string" ? path : "unknown";
  } finally {
    // `undefined` is the engine's default here; deleting instead would drop a hook installed meanwhile.
    Error.prepareStackTrace = prepare;
  }
}
