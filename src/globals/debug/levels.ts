import type { DebugConfig } from "../../runtime/run/debugConfig";

/** Logs nothing. */
export const allFalse: DebugConfig = /* @__PURE__ */ Object.freeze({
  logResourceConfig: false,
  logResourceValue: false,
  logResourceBeforeRun: false,
  logResourceAfterRun: false,
  logTaskBeforeRun: false,
  logTaskInput: false,
  logTaskOutput: false,
  logTaskAfterRun: false,
  logMiddlewareBeforeRun: false,
  logMiddlewareAfterRun: false,
  logEventEmissionOnRun: false,
  logEventEmissionInput: false,
  logHookTriggered: false,
  logHookCompleted: false,
});

/** Logs what happens, without data. */
export const levelNormal: DebugConfig = /* @__PURE__ */ (() =>
  Object.freeze({
    ...allFalse,
    logResourceBeforeRun: true,
    logResourceAfterRun: true,
    logTaskBeforeRun: true,
    logTaskAfterRun: true,
    logMiddlewareBeforeRun: true,
    logMiddlewareAfterRun: true,
    logEventEmissionOnRun: true,
    logHookTriggered: true,
    logHookCompleted: true,
  }))();

/** Logs what happens, with the data of tasks and resources; the payloads of events stay out, as in 5.x. */
export const levelVerbose: DebugConfig = /* @__PURE__ */ (() =>
  Object.freeze({
    ...levelNormal,
    logTaskInput: true,
    logTaskOutput: true,
    logResourceConfig: true,
    logResourceValue: true,
  }))();

/** The levels by name. */
export const debugLevels: { readonly normal: DebugConfig; readonly verbose: DebugConfig } = /* @__PURE__ */ (() =>
  Object.freeze({ normal: levelNormal, verbose: levelVerbose }))();
