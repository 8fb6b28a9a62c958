import type { DebugConfig } from "../../runtime/run/debugConfig";
import { provideDebug } from "../lateBuiltins";
import { debugItem } from "./debugResource";
import * as levels from "./levels";

/** A bundle that refers to one of the values below has what logs, and no other bundle does. */
function withDebug<T>(value: T): T {
  provideDebug(debugItem);
  return value;
}

/** Logs nothing. */
export const allFalse: DebugConfig = /* @__PURE__ */ (() => withDebug(levels.allFalse))();

/** Logs what happens, without data. */
export const levelNormal: DebugConfig = /* @__PURE__ */ (() => withDebug(levels.levelNormal))();

/** Logs what happens, with the data of tasks and resources; the payloads of events stay out, as in 5.x. */
export const levelVerbose: DebugConfig = /* @__PURE__ */ (() => withDebug(levels.levelVerbose))();

/** The levels by name. */
export const debugLevels: typeof levels.debugLevels = /* @__PURE__ */ (() => withDebug(levels.debugLevels))();

/** What `globals.debug` is. */
export const debug: { readonly levels: typeof levels.debugLevels } = /* @__PURE__ */ (() =>
  Object.freeze({ levels: withDebug(levels.debugLevels) }))();
