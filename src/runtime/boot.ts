import type { RegisterableItems } from "../define/attachments";
import type { IEvent } from "../define/event";
import { isResource, isResourceWithConfig, type FrameworkPreset } from "../define/resource";
import type { ITask, TaskCallOptions } from "../define/task";
import { unknownItemTypeError } from "../errors/bootErrors";
import { taskNotRegisteredError } from "../errors/runErrors";
import { getPlatform } from "../platform/platform";
import { onUncaughtError } from "../platform/processEvents";
import { applyOverrides, type OverrideRequest } from "./applyOverrides";
import { createCells, HookDependencyState, type Cells } from "./cells";
import { checkEmissions, findReentrantEvents } from "./checkEmissions";
import { collect, presetOf } from "./collect";
import { disposeAll } from "./disposeAll";
import { EventManager, type AttachedHook } from "./eventManager";
import { bootCancelled, linkAndInit } from "./linkAndInit";
import { createMiddlewareInterceptors, createMiddlewareManager } from "./middlewareManager";
import type { ResolvedRunOptions } from "./options";
import { checkAttachments, planBoot, type BootPlan, type InitFirst } from "./planBoot";
import type { Logger, PresetScope, TaskRunner } from "./presets";
import { createProblems } from "./problems";
import { eventManagerId, readyEventId, storeId, taskRunnerId } from "../define/reservedIds";
import type { RunResult } from "./runResult";
import { registerForShutdown } from "./shutdown";
import { createLock, createStore } from "./store";
import { isCallOptions } from "./taskCell";
import { bindProcessErrorHandler, createDefaultUnhandledError, safeReportUnhandledError } from "./unhandledErrors";

/** What the composition root adds to every run. */
export interface Framework<L extends Logger = Logger> {
  /** Registered before anything of the application. */
  readonly builtins: readonly RegisterableItems[];
  /** Values that take the place of a framework resource's own, by id. */
  readonly presets: ReadonlyMap<string, NonNullable<FrameworkPreset["value"]>>;
  readonly initFirst: InitFirst;
  readonly createLogger: (options: ResolvedRunOptions["logs"]) => L;
}

type Root = RegisterableItems;

/**
 * Compiles definitions into a running application.
 *
 * Stages: collect, override, plan (all pure), link and initialise, seal, ready. Whatever fails after the first effect
 * rolls back what was initialised; the original error wins.
 */
export async function boot<V, L extends Logger>(
  root: Root,
  framework: Framework<L>,
  options: ResolvedRunOptions,
): Promise<RunResult<V, L>> {
  await getPlatform().init?.();
  const logger = framework.createLogger(options.logs);
  const { plan, requests } = planRun(root, framework, options);
  const run = createRun({ plan, overrideRequests: requests, framework, options, logger });
  if (options.dryRun) {
    await logger.debug("Dry run mode. Skipping initialization...", fromRun);
    await logger.lock();
    return run.result as RunResult<V, L>;
  }
  await run.start();
  return run.result as RunResult<V, L>;
}

const fromRun = { source: "run" };

/** The pure stages. @throws the first problem, with all of them under `errors` */
function planRun(root: Root, { builtins, initFirst }: Framework, options: ResolvedRunOptions) {
  if (!isResource(root) && !isResourceWithConfig(root)) throw unknownItemTypeError.create({ item: root });
  if (options.signal?.aborted) throw bootCancelled(options.signal.reason);

  const problems = createProblems();
  const overrideProblems = createProblems();
  const collected = collect(root, builtins, problems);
  const { registrations, requests } = applyOverrides(collected, overrideProblems);
  checkAttachments(registrations, problems);
  problems.addAll(overrideProblems);
  const plan = planBoot(registrations, root.id, initFirst, problems);
  checkEmissions(registrations, problems);
  problems.throwIfAny();
  return { plan, requests };
}

interface RunParts<L extends Logger> {
  readonly plan: BootPlan;
  readonly overrideRequests: readonly OverrideRequest[];
  readonly framework: Framework<L>;
  readonly options: ResolvedRunOptions;
  readonly logger: L;
}

/** Everything of one run, wired but not started. */
function createRun<L extends Logger>({ plan, overrideRequests, framework, options, logger }: RunParts<L>) {
  const lock = createLock();
  const interceptors = createMiddlewareInterceptors();
  const onUnhandledError = options.onUnhandledError ?? createDefaultUnhandledError(logger);
  const report = (kind: "task" | "resourceInit", error: unknown, source: string): void =>
    void safeReportUnhandledError(onUnhandledError, { error, kind, source });

  const cells = createCells(plan.registrations, {
    reportFailure: (error, taskId) => report("task", error, taskId),
    globalInterceptors: interceptors.forTasks,
    interceptorsOf: (middlewareId) => interceptors.forTaskMiddleware.get(middlewareId) ?? noInterceptors,
    phantomsMustBeRouted: options.unroutedPhantoms === "throw",
    assertUnlocked: lock.assertOpen,
  });
  const eventManager = new EventManager(options);
  const middlewareManager = createMiddlewareManager({
    interceptors,
    relinkTasks: () => cells.tasks.forEach((cell) => cell.relink()),
    findInvoke: (taskId) => cells.tasks.get(taskId)?.invoke,
    everywhereForTask: (task) => plan.layers.everywhereForTask(task).map(({ definition }) => definition),
    everywhereForResource: (resource) =>
      plan.layers.everywhereForResource(resource).map(({ definition }) => definition),
  });
  const store = createStore({
    cells,
    rootId: plan.root.id,
    mode: options.mode,
    onUnhandledError,
    overrideRequests,
    middlewareManager: () => middlewareManager,
    lock,
  });
  const taskRunner = createTaskRunner(cells);
  const presetValues = createPresetValues(cells, framework, {
    store,
    eventManager,
    taskRunner,
    middlewareManager,
    logger,
  });

  const initialized: string[] = [];
  const bootAborter = new AbortController();
  let stopListening: () => void = () => {};

  let disposing: Promise<void> | undefined;
  const dispose = (): Promise<void> =>
    (disposing ??= (async () => {
      stopListening();
      try {
        await disposeAll(initialized, cells.resources);
      } finally {
        eventManager.dispose();
        await presetValues.dispose();
      }
    })());

  async function link(): Promise<void> {
    presetValues.fill(plan);
    await logger.debug("Events stored. Attaching listeners...", fromRun);
    attachHooks(plan, cells, eventManager);
    await logger.debug("Listeners attached. Computing dependencies...", fromRun);
    await linkAndInit(
      {
        plan,
        cells,
        eventManager,
        logger,
        interceptors,
        onInitialized: (id) => initialized.push(id),
        reportInitFailure: (error, resourceId) => report("resourceInit", error, resourceId),
        signal: bootAborter.signal,
      },
      options.initMode,
    );
    if (bootAborter.signal.aborted) throw bootCancelled(bootAborter.signal.reason);
  }

  async function becomeReady(): Promise<void> {
    for (const cell of cells.tasks.values()) cell.seal();
    store.lock();
    eventManager.lock();
    middlewareManager.lock();
    await logger.lock();
    const ready = cells.events.get(readyEventId)?.event as IEvent<void> | undefined;
    if (ready) await eventManager.emit(ready, undefined, "run");
    if (bootAborter.signal.aborted) throw bootCancelled(bootAborter.signal.reason);
    await logger.info("Runner online. Awaiting tasks and events.", fromRun);
  }

  async function start(): Promise<void> {
    let booting = true;
    let settleBoot: () => void = () => {};
    const settled = new Promise<void>((resolve) => (settleBoot = resolve));
    stopListening = listenToProcess(options, onUnhandledError, async (reason) => {
      if (!booting) return dispose();
      bootAborter.abort(reason);
      await settled;
    });
    const abortBoot = (): void => bootAborter.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", abortBoot, { once: true });
    try {
      await link();
      await becomeReady();
      booting = false;
    } catch (error) {
      await rollBack(dispose, logger);
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", abortBoot);
      settleBoot();
    }
  }

  const result: RunResult<unknown, L> = {
    get value() {
      return cells.resources.get(plan.root.id)?.value as unknown;
    },
    logger,
    store,
    // Gives `any`: typed by `RunResult`.
    runTask(task: ITask | string, ...args: [input?: unknown, options?: TaskCallOptions]): Promise<any> {
      const id = typeof task === "string" ? task : task.id;
      const cell = cells.tasks.get(id);
      if (cell === undefined) throw new Error(`Task "${id}" not found.`);
      const [input, callOptions] = args;
      const onlyOptions =
        args.length === 1 && cell.task.inputSchema === undefined && typeof input === "object" && isCallOptions(input);
      return onlyOptions ? cell.invoke(undefined, input) : cell.invoke(input, callOptions);
    },
    emitEvent(event: IEvent | string, payload?: unknown) {
      const id = typeof event === "string" ? event : event.id;
      const registered = cells.events.get(id)?.event;
      if (registered === undefined) throw new Error(`Event "${id}" not found.`);
      return eventManager.emit(registered, payload, "outside");
    },
    getResourceValue: (resource: unknown): any => presetValues.read(resource), // typed by `RunResult`
    getResourceConfig(resource: unknown): any {
      // `any`: typed by `RunResult`
      const id = typeof resource === "string" ? resource : (resource as { id: string }).id;
      const cell = cells.resources.get(id);
      if (cell === undefined) throw new Error(`Resource "${id}" not found.`);
      return cell.config as unknown;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
  return { start, result };
}

const noInterceptors: readonly never[] = [];

/** Safety nets and shutdown signals, installed before the first effect. @returns what removes them */
function listenToProcess(
  options: ResolvedRunOptions,
  onUnhandledError: ResolvedRunOptions["onUnhandledError"] & {},
  onShutdown: (reason: string) => Promise<void>,
): () => void {
  const unhookErrors = options.errorBoundary
    ? onUncaughtError(toVoid(bindProcessErrorHandler(onUnhandledError)))
    : undefined;
  const unregister = options.shutdownHooks ? registerForShutdown(onShutdown) : undefined;
  return () => {
    unhookErrors?.();
    unregister?.();
  };
}

const toVoid =
  <A extends unknown[]>(fn: (...args: A) => unknown) =>
  (...args: A): void =>
    void fn(...args);

/** The error that failed the boot wins over whatever disposing throws; logs that waited for `ready` wait no longer. */
async function rollBack(dispose: () => Promise<void>, logger: Logger): Promise<void> {
  try {
    await dispose();
  } catch (error) {
    await logger.error("A resource failed to dispose while the boot was rolled back.", { ...fromRun, error });
  }
  await logger.lock();
}

function createTaskRunner(cells: Cells): TaskRunner {
  return {
    run: (task, input, options) =>
      cells.tasks.get(task.id)?.invoke(input, options) ??
      Promise.reject(taskNotRegisteredError.create({ taskId: task.id })),
  } as TaskRunner;
}

/** Values of framework resources: of registered ones from the start, of others when somebody asks. */
function createPresetValues(cells: Cells, { presets }: Framework, handles: Omit<PresetScope, "valueOf" | "onDispose">) {
  const values = new Map<string, unknown>();
  const disposers: (() => Promise<void>)[] = [];
  const scope: PresetScope = {
    ...handles,
    valueOf: (resource) => read(resource) as never,
    onDispose: (dispose) => void disposers.push(dispose),
  };

  function compute(id: string, own: FrameworkPreset["value"]): unknown {
    if (!values.has(id)) values.set(id, ((presets.get(id) ?? own) as (scope: PresetScope) => unknown)(scope));
    return values.get(id);
  }

  function read(resource: unknown): unknown {
    const id = typeof resource === "string" ? resource : (resource as { id: string }).id;
    const cell = cells.resources.get(id);
    const definition = cell?.resource ?? (isResource(resource) ? resource : undefined);
    const preset = definition && presetOf(definition);
    if (preset !== undefined) return compute(id, preset);
    if (cell === undefined) throw new Error(`Resource "${id}" not found.`);
    return cell.value as unknown;
  }

  return {
    read,
    // An application's own failure to dispose is the one to report.
    dispose: async () => void (await Promise.allSettled(disposers.map((dispose) => dispose()))),
    fill({ registrations }: BootPlan): void {
      for (const registration of registrations.values()) {
        if (registration.kind !== "resource" || registration.preset === undefined) continue;
        const cell = cells.resources.get(registration.id);
        if (cell === undefined) continue;
        cell.value = compute(registration.id, registration.preset);
        cell.isInitialized = true;
      }
    },
  };
}

/** Hooks hear nothing until their dependencies are there. */
function attachHooks(plan: BootPlan, cells: Cells, eventManager: EventManager): void {
  const hooks: AttachedHook[] = [];
  for (const [, cell] of cells.hooks) {
    const { on } = cell.hook;
    if (on === undefined) continue;
    hooks.push({
      hook: cell.hook,
      eventIds: on === "*" ? "*" : [on].flat().map(({ id }) => id),
      listen: (hook, emission) =>
        cell.dependencyState === HookDependencyState.Ready ? hook.run(emission, cell.computedDependencies) : undefined,
    });
  }
  if (hooks.length > 0) eventManager.attachHooks(hooks, findReentrantEvents(plan, emitsAnything));
}

const emitsAnything = (id: string): boolean => id === storeId || id === eventManagerId || id === taskRunnerId;
