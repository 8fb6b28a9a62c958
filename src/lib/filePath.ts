import { symbolFilePath } from "./symbols";

interface StackHolder {
  stack?: string;
}

/**
 * Remembers the file that called `definer`; the path is worked out when it is read.
 *
 * V8 keeps the frames and formats them on first access, so a definition pays only for the capture of one frame.
 *
 * @returns a function giving the path, or `"unknown"` off Node and where `Error` is read-only
 */
export function captureFilePath(definer: (...args: never[]) => unknown): () => string {
  if (typeof globalThis.process?.versions?.node !== "string" || typeof Error.captureStackTrace !== "function") {
    return unknownPath;
  }
  const holder: StackHolder = {};
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 1;
    Error.captureStackTrace(holder, definer);
    Error.stackTraceLimit = limit;
  } catch {
    return unknownPath;
  }

  let path: string | undefined;
  return () => (path ??= readFirstFile(holder));
}

/** Where a definition keeps the function that gives its path. Not enumerable, so that copies by spread lack it. */
const symbolFilePathReader: unique symbol = /* @__PURE__ */ Symbol("filePathReader");

interface Located {
  readonly [symbolFilePathReader]?: () => string;
}

/** One accessor for all definitions: of an accessor for each of them, engines make a dictionary of each of them. */
const filePathAccessor: PropertyDescriptor & ThisType<Located> = {
  get() {
    return this[symbolFilePathReader]?.() ?? "unknown";
  },
  enumerable: true,
};

/** Shows the path of a definition's file on it, as a property that works the path out when it is read. */
export function withFilePath<D extends object>(definition: D, filePath: () => string): D {
  Object.defineProperty(definition, symbolFilePath, filePathAccessor);
  return Object.defineProperty(definition, symbolFilePathReader, { value: filePath });
}

const unknownPath = (): string => "unknown";

function readFirstFile(holder: StackHolder): string {
  try {
    return readFileName(holder);
  } catch {
    return "unknown";
  }
}

function readFileName(holder: StackHolder): string {
  const prepare = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (_error, frames) => frames[0]?.getFileName() ?? "unknown";
    const path: unknown = holder.stack;
    return typeof path === "string" ? path : "unknown";
  } finally {
    // `undefined` is the engine's default here; deleting instead would drop a hook installed meanwhile.
    Error.prepareStackTrace = prepare;
  }
}
