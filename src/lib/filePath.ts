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
