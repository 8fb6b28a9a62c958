import { noItems } from "../../lib/nothing";
import type { ITask } from "../../define/task";
import { callFacts } from "../../lib/callFacts";
import { describeGiven } from "../../lib/describeValue";
import { devModeOnlyError, taskNotRegisteredError } from "../../errors/runErrors";
import type { OverrideRequest } from "../plan/applyOverrides";
import { createCells, type Cells } from "../link/cells";
import { createDrains, type Drains } from "./drains";
import { RunState } from "../runState";
import { EventManager } from "../events/eventManager";
import { idOf } from "./idOf";
import {
  createMiddlewareInterceptors,
  createMiddlewareManager,
  type MiddlewareInterceptors,
  type MiddlewareManager,
} from "../link/middlewareManager";
import type { TaskCell } from "../link/taskCell";
import type { ResolvedRunOptions, RunnerMode } from "./options";
import type { BootPlan } from "../plan/planBoot";
import type { Logger } from "../logger";
import type { TaskRunner } from "./presets";
import { createPresetValues, type PresetOverrides, type PresetValues } from "./presetValues";
import { createLock, createStore, type Store } from "./store";
import type { RunTracing } from "../tracing";
import {
  createRunErrorHandler,
  gaveUp,
  safeReportUnhandledError,
  type OnUnhandledError,
  type OnUnhandledErrorInfo,
} from "./unhandledErrors";

/** What a run is made from. */
export interface RunParts<L> {
  readonly plan: BootPlan;
  readonly overrideRequests: readonly OverrideRequest[];
  readonly presets: PresetOverrides;
  readonly options: ResolvedRunOptions;
  readonly logger: L;
  readonly tracing: RunTracing | undefined;
}

/** Everything of one run, joined together. */
export interface WiredRun<L> {
  readonly plan: BootPlan;
  readonly options: ResolvedRunOptions;
  readonly logger: L;
  readonly state: RunState;
  readonly cells: Cells;
  readonly eventManager: EventManager;
  readonly interceptors: MiddlewareInterceptors;
  readonly middlewareManager: MiddlewareManager;
  readonly store: Store;
  readonly drains: Drains;
  readonly presetValues: PresetValues;
  readonly onUnhandledError: OnUnhandledError;
  readonly report: (info: OnUnhandledErrorInfo) => void;
}

/** Joins the parts of one run; nothing starts yet. */
export function wireRun<L extends Logger>(parts: RunParts<L>): WiredRun<L> {
  const { plan, overrideRequests, presets, options, logger, tracing } = parts;
  const lock = createLock();
  const state = new RunState();
  const interceptors = createMiddlewareInterceptors();
  const onUnhandledError = options.onUnhandledError ?? createRunErrorHandler(logger);
  const report = (info: OnUnhandledErrorInfo): void => void safeReportUnhandledError(onUnhandledError, info);

  const cells = createCells(plan.registrations, {
    reportFailure: (error, taskId, scope) =>
      report({
        error,
        kind: "task",
        source: taskId,
        ...(gaveUp(error, scope?.signal) && { cancelled: true }),
        ...callFacts.of?.(scope),
      }),
    globalInterceptors: interceptors.forTasks,
    interceptorsOf: (middlewareId) => interceptors.forTaskMiddleware.get(middlewareId) ?? noItems,
    phantomsMustBeRouted: options.unroutedPhantoms === "throw",
    assertUnlocked: lock.assertOpen,
    state,
    tracing,
  });
  const eventManager = new EventManager(options, state, tracing);
  const middlewareManager = createMiddlewareManager({
    interceptors,
    relinkTasks: () => cells.tasks.forEach((cell) => cell.relink()),
    findTask: (taskId) => cells.tasks.get(taskId),
    everywhereForTask: (task) => plan.layers.everywhereForTask(task).map(({ definition }) => definition),
    everywhereForResource: (resource) =>
      plan.layers.everywhereForResource(resource).map(({ definition }) => definition),
  });
  const drains = createDrains();
  const store = createStore({
    cells,
    drains,
    tracing,
    rootId: plan.root.id,
    mode: options.mode,
    onUnhandledError,
    overrideRequests,
    middlewareManager: () => middlewareManager,
    lock,
  });
  const presetValues = createPresetValues(cells, presets, {
    store,
    eventManager,
    taskRunner: createTaskRunner(cells, options.mode),
    middlewareManager,
    logger,
    keyCalls: (run) => void (state.runKeyed = run),
  });
  return {
    plan,
    options,
    logger,
    state,
    cells,
    eventManager,
    interceptors,
    middlewareManager,
    store,
    drains,
    presetValues,
    onUnhandledError,
    report,
  };
}

function createTaskRunner(cells: Cells, mode: RunnerMode): TaskRunner {
  function findCell(task: unknown, asked: string): TaskCell {
    const id = idOf(task, asked);
    const cell = cells.tasks.get(id);
    if (cell === undefined) throw taskNotRegisteredError.create({ taskId: id });
    return cell;
  }
  return {
    // Async, so that what it throws becomes a rejection.
    async run(task, input, options) {
      return findCell(task, "taskRunner.run takes a task").invoke(input, options);
    },
    replaceBody(task, run) {
      if (mode !== "dev") throw devModeOnlyError.create({ what: "taskRunner.replaceBody", mode });
      if (typeof run !== "function") {
        throw new TypeError(`taskRunner.replaceBody takes a function as body, got ${describeGiven(run)}.`);
      }
      findCell(task, "taskRunner.replaceBody takes a task").replaceBody(run as ITask["run"]);
    },
  } as TaskRunner;
}
