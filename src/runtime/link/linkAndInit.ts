import { noItems } from "../../lib/nothing";
import { cancellationError } from "../../errors/cancellation";
import { isThenable } from "../../lib/guards";
import type { WaitWatch } from "../../lib/waitWatch";
import { HookDependencyState, type MiddlewareCell, type ResourceCell } from "./cells";
import { createDependencyBinder, injectDependencies, type InjectionSources } from "./inject";
import { annotateInitFailure, initResource } from "./linkResource";
import type { MiddlewareInterceptors } from "./middlewareManager";
import type { BootPlan } from "../plan/planBoot";
import {
  registrationPath,
  type Registration,
  type ResourceRegistration,
  type TaskRegistration,
} from "../plan/registration";
import type { Attachment } from "../plan/selectLayers";

/** What linking reads, and what it reports to. */
export interface LinkContext extends InjectionSources {
  readonly plan: BootPlan;
  readonly interceptors: MiddlewareInterceptors;
  /** Knows which `init` is waited for. */
  readonly waits: WaitWatch;
  /** Called once per resource that initialised, in that order. */
  readonly onInitialized: (id: string) => void;
  readonly reportInitFailure: (error: unknown, resourceId: string) => void;
  /** Aborts the boot between two initialisations. */
  readonly signal: AbortSignal;
}

/** Walks the plan: links tasks, hooks and middleware, initialises resources. The stage of the boot with effects. */
export async function linkAndInit(context: LinkContext, mode: "sequential" | "parallel"): Promise<void> {
  if (mode === "parallel") return linkInParallel(context);
  for (const id of context.plan.order) {
    if (id === context.plan.root.id) await announceRoot(context);
    const initialising = visit(id, context);
    if (initialising !== undefined) await initialising;
  }
}

/** Starts every node once what it needs is there. After a failure nothing new starts; what runs is waited for. */
async function linkInParallel(context: LinkContext): Promise<void> {
  const { plan } = context;
  const done = new Map<string, Promise<void>>();
  let failed = false;
  for (const id of plan.order) {
    const isRoot = id === plan.root.id;
    // The root is the last one to initialise, whatever it depends on.
    const needed = isRoot ? [...done.values()] : plan.edges(id).flatMap((each) => done.get(each) ?? []);
    done.set(
      id,
      Promise.all(needed).then(async () => {
        if (failed) return;
        try {
          if (isRoot) await announceRoot(context);
          await visit(id, context);
        } catch (error) {
          failed = true;
          throw error;
        }
      }),
    );
  }
  const outcomes = await Promise.allSettled(done.values());
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

const announceRoot = ({ logger }: LinkContext): Promise<void> =>
  logger.debug("Dependencies computed. Proceeding with initialization...", { source: "run" });

/** @returns a promise only where there is something to wait for */
function visit(id: string, context: LinkContext): Promise<void> | undefined {
  const registration = context.plan.registrations.get(id);
  switch (registration?.kind) {
    case "task":
      linkTaskCell(registration, context);
      return undefined;
    case "hook":
      linkHook(registration, context);
      return undefined;
    case "taskMiddleware":
      linkMiddleware(registration, context.cells.taskMiddlewares, context);
      return undefined;
    case "resourceMiddleware":
      linkMiddleware(registration, context.cells.resourceMiddlewares, context);
      return undefined;
    case "resource":
      return registration.preset === undefined ? initialise(registration, context) : undefined;
    case undefined:
    case "event":
    case "tag":
    case "error":
    case "asyncContext":
      return undefined;
  }
}

function linkTaskCell(registration: TaskRegistration, context: LinkContext): void {
  const { cells, plan } = context;
  const dependencies = injectDependencies(registration, context);
  const attachments = plan.attachmentsOf(registration.id);
  cells.tasks.get(registration.id)?.bake({
    dependencies,
    bindDependencies: createDependencyBinder(registration, dependencies, context),
    layers:
      attachments.length === 0
        ? noItems
        : attachments.map((attachment) => ({
            id: attachment.middlewareId,
            ...bindMiddleware(attachment, cells.taskMiddlewares),
          })),
  });
}

function linkHook(registration: Registration, context: LinkContext): void {
  const cell = context.cells.hooks.get(registration.id);
  if (cell === undefined) return;
  cell.dependencyState = HookDependencyState.Computing;
  cell.computedDependencies = injectDependencies(registration, context);
  cell.bindDependencies = createDependencyBinder(registration, cell.computedDependencies, context);
  cell.dependencyState = HookDependencyState.Ready;
}

function linkMiddleware(
  registration: Registration,
  cells: ReadonlyMap<string, MiddlewareCell>,
  context: LinkContext,
): void {
  const cell = cells.get(registration.id);
  if (cell === undefined) return;
  cell.computedDependencies = injectDependencies(registration, context);
  cell.bindDependencies = createDependencyBinder(registration, cell.computedDependencies, context);
  cell.isInitialized = true;
}

/** The stored middleware of an attachment, with the attachment's config. */
function bindMiddleware<Run>(
  { middlewareId, config }: Attachment,
  cells: ReadonlyMap<string, MiddlewareCell<{ run: Run }>>,
): { run: Run; dependencies: object; bindDependencies: MiddlewareCell["bindDependencies"]; config: unknown } {
  const cell = cells.get(middlewareId) as MiddlewareCell<{ run: Run }>; // checked by the plan
  const { middleware, computedDependencies: dependencies, bindDependencies } = cell;
  return { run: middleware.run, dependencies, bindDependencies, config };
}

/** Initialises a resource; not an async function, because an application has hundreds and most wait for nothing. */
function initialise(registration: ResourceRegistration, context: LinkContext): Promise<void> | undefined {
  const { id, definition } = registration;
  const { cells, plan } = context;
  if (context.signal.aborted) throw bootCancelled(context.signal.reason);
  const cell = cells.resources.get(id);
  if (cell === undefined) return undefined;

  const finish = (value: unknown): undefined => {
    context.waits.end(id);
    cell.value = value;
    cell.isInitialized = true;
    context.onInitialized(id);
  };
  const fail = (error: unknown): never => {
    context.waits.end(id);
    const isRoot = registration === plan.root;
    const reported = isRoot ? error : annotateInitFailure(error, id, registrationPath(id, plan.registrations));
    context.reportInitFailure(reported, id);
    throw reported;
  };

  let made: unknown;
  try {
    cell.computedDependencies = injectDependencies(registration, context);
    cell.context = definition.context?.() ?? {};
    made = callInit(registration, cell, context);
  } catch (error) {
    return fail(error);
  }
  if (!isThenable(made)) return finish(made);
  context.waits.begin(id);
  return Promise.resolve(made).then(finish, fail);
}

/** @returns what `init` returns where nothing is around it; may throw at once then */
function callInit(
  { id, definition, config }: ResourceRegistration,
  cell: ResourceCell,
  { plan, cells, interceptors }: LinkContext,
): unknown {
  const { computedDependencies: dependencies, context } = cell;
  const { forResources: globalInterceptors, forResourceMiddleware } = interceptors;
  const attachments = plan.attachmentsOf(id);
  if (attachments.length === 0 && globalInterceptors.length === 0 && definition.resultSchema === undefined) {
    return definition.init?.(config, dependencies, context);
  }
  const layers = attachments.map((attachment) => ({
    ...bindMiddleware(attachment, cells.resourceMiddlewares),
    interceptors: forResourceMiddleware.get(attachment.middlewareId) ?? noItems,
  }));
  return initResource({ resource: definition, dependencies, context, globalInterceptors, layers }, config);
}

/**
 * What a boot rejects with that was aborted.
 *
 * @param late names what was not waited for any longer
 */
export function bootCancelled(reason: unknown, late?: Error): Error {
  const error = cancellationError.create(
    { reason: typeof reason === "string" ? reason : "The boot was aborted" },
    { cause: late ?? reason },
  );
  if (late !== undefined) error.message += `. ${late.message}`;
  return error;
}
