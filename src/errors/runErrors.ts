import { detectEnvironment } from "../lib/detectEnvironment";
import { declareError } from "./defineError";
import { normalizeError } from "./normaliseThrown";
import { describeIssues, readIssues, type ValidationIssue } from "./validationIssues";

export type ValidationSubject =
  | "Task input"
  | "Task result"
  | "Task item"
  | "Task input item"
  | "Resource config"
  | "Resource result"
  | "Middleware config"
  | "Tag config"
  | "Event payload"
  | "Async context value"
  | "Event interceptor";

/** What did not fit, of what, and why. */
export interface ValidationErrorData {
  readonly subject: ValidationSubject | (string & {});
  readonly id: string;
  readonly originalError: string | Error;
  readonly issues?: readonly ValidationIssue[];
}

/** A value did not fit its schema. */
export const validationError = /* @__PURE__ */ declareError<ValidationErrorData>("runner.errors.validation", {
  message: ({ subject, id, originalError }) =>
    `${subject} validation failed for ${id}: ${typeof originalError === "string" ? originalError : originalError.message}`,
});

/** Wraps what a schema threw. The issues are what may be shown to a remote caller. */
export function validationFailed(subject: ValidationSubject, id: string, thrown: unknown): Error {
  const originalError = normalizeError(thrown);
  return validationError.create({ subject, id, originalError, issues: readIssues(thrown) }, { cause: originalError });
}

/** `subject validation failed for id: a.b: message; ...`, the form that crosses the wire. */
export function describeValidation({ subject, id, originalError, issues }: ValidationErrorData): string {
  return `${subject} validation failed for ${id}: ${describeIssues(issues ?? readIssues(originalError))}`;
}

/** The container no longer changes once it is ready. */
export const lockedError = /* @__PURE__ */ declareError<{ what: string }>("runner.errors.locked", {
  message: ({ what }) => `Cannot modify the ${what} when it is locked.`,
});

/** An async context was read where it is not provided. */
export const contextError = /* @__PURE__ */ declareError<{ details?: string; contextId?: string; fix?: string }>(
  "runner.errors.context",
  {
    message: ({ details }) => details ?? "Context error",
    fix: ({ contextId, fix }) =>
      fix ?? (contextId && `run what reads it inside .provide(value, fn) of context "${contextId}".`),
  },
);

/** One emission on the way round a cycle. */
export interface EmissionFrame {
  readonly id: string;
  readonly source: string;
}

/** An event is being emitted from inside its own emission. */
export const eventCycleError = /* @__PURE__ */ declareError<{ path: readonly EmissionFrame[] }>(
  "runner.errors.eventCycle",
  {
    message: ({ path }) =>
      `Event emission cycle detected:\n  ${path
        .map(({ id, source }) => `${id}←${source}`)
        .join("  ->  ")}\n\nBreak the cycle by changing hook logic (avoid mutual emits) or gate with conditions/tags.`,
  },
);

/** The platform lacks what was asked of it. */
export const platformUnsupportedFunctionError = /* @__PURE__ */ declareError<{ functionName: string }>(
  "runner.errors.platformUnsupportedFunction",
  {
    message: ({ functionName }) =>
      `Platform function not supported in this environment: ${functionName}. Detected platform: ${detectEnvironment()}.`,
  },
);

/** A run did not end in time after it was asked to. */
export const shutdownTimeoutError = /* @__PURE__ */ declareError<{
  /** What asked for it: a signal, or why the boot was rolled back. */
  reason: string;
  timeoutMs: number;
  /** What did not settle, in words. */
  pending: readonly string[];
}>("runner.errors.shutdownTimeout", {
  message: ({ reason, timeoutMs, pending }) =>
    `Shutting down (${reason}) took longer than ${timeoutMs} ms. Not settled: ${pending.join(", ") || "unknown"}.`,
  fix: () => "make it settle, or give it more time with run(app, { shutdownTimeoutMs }).",
});

/** Something of a run was used after it was disposed of. */
export const runDisposedError = /* @__PURE__ */ declareError<{ kind: "task" | "event" | "resource"; id: string }>(
  "runner.errors.runDisposed",
  {
    message: ({ kind, id }) => describeUse[kind](id),
    fix: () =>
      "stop what still calls it, such as a timer or a subscription, in the dispose of the resource that started it.",
  },
);

/** A phantom task was called that no tunnel routes, where that is an error. */
export const phantomTaskNotRoutedError = /* @__PURE__ */ declareError<{ taskId: string }>(
  "runner.errors.phantomTaskNotRouted",
  {
    message: ({ taskId }) =>
      `Phantom task "${taskId}" is not routed through any tunnel. Ensure a tunnel client selects this task id (or avoid calling the phantom task directly).`,
  },
);

/** A remote task was called that no tunnel routes. */
export const taskNotRoutedError = /* @__PURE__ */ declareError<{ taskId: string }>("runner.errors.taskNotRouted", {
  message: ({ taskId }) => `Remote task "${taskId}" is not routed by any tunnel.`,
  fix: () => "register a client tunnel that selects it.",
});

/** A task was run by a definition that is not part of the run. */
export const taskNotRegisteredError = /* @__PURE__ */ declareError<{ taskId: string }>(
  "runner.errors.taskNotRegistered",
  {
    message: ({ taskId }) =>
      `Task "${taskId}" is not registered in the Store. This is an internal error—ensure the task is registered before execution.`,
  },
);

/** Something for development was used in a run of another mode. */
export const devModeOnlyError = /* @__PURE__ */ declareError<{ what: string; mode: string }>(
  "runner.errors.devModeOnly",
  {
    message: ({ what, mode }) => `${what} works in "dev" mode only; this run is in "${mode}" mode.`,
    fix: () => 'run it with run(app, { mode: "dev" }).',
  },
);

/** A task was called during boot before its own dependencies were initialised. */
export const taskNotReadyError = /* @__PURE__ */ declareError<{ taskId: string }>("runner.errors.taskNotReady", {
  message: ({ taskId }) => `Task "${taskId}" was called before its dependencies were initialised.`,
  fix: ({ taskId }) => `list "${taskId}" in the .dependencies({ ... }) of the resource that calls it during boot.`,
});

const describeUse = {
  task: (id: string) => `Task "${id}" was called after its run was disposed of.`,
  event: (id: string) => `Event "${id}" was emitted after its run was disposed of.`,
  resource: (id: string) => `Resource "${id}" was read after its run was disposed of.`,
};
