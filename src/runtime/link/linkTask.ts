import { takesItems } from "../../define/itemInput";
import type { ITask } from "../../define/task";
import { isThenable } from "../../lib/guards";
import { captureSlots } from "../../platform/contextScope";
import { deriveScope, detachedScope, type CallScope } from "../callScope";
import type { RunState } from "../runState";
import { validator } from "../validator";
import { Call, scopeOf, timeoutOf, type InvokeOptions } from "./call";
import {
  interceptorStep,
  layerStep,
  localStep,
  type LocalInterceptor,
  type TaskLayer,
  type TaskMiddlewareInterceptor,
} from "./taskLayers";
import { dependenciesPerCall, inScope, isSignal, type BindDependencies, type Step } from "./taskStep";

/** A linked task: what every caller ends up in. Never throws synchronously. */
export type Invoke = (input: unknown, options?: InvokeOptions) => Promise<unknown>;

/** All that a task's chain is made of. */
export interface TaskLink {
  readonly task: ITask;
  /** The body; a tunnel puts its own here. */
  readonly run: ITask["run"];
  readonly dependencies: object;
  readonly bindDependencies: BindDependencies | undefined;
  /** First one is outermost. */
  readonly globalInterceptors: readonly TaskMiddlewareInterceptor[];
  readonly layers: readonly TaskLayer[];
  /** First one is outermost. */
  readonly localInterceptors: readonly LocalInterceptor[];
  readonly reportFailure: (error: unknown, taskId: string, scope: CallScope | undefined) => void;
  readonly state: RunState;
  /** The tunnel that takes the calls to another process. */
  readonly tunnelId: string | undefined;
  readonly trace: TaskTracing | undefined;
}

/** Publishes calls of tasks. */
export interface TaskTracing {
  /** Whether anything listens. */
  readonly isOn: boolean;
  /** Calls `invoke` with options that say that the call is published. */
  publish(
    link: Pick<TaskLink, "task" | "tunnelId">,
    invoke: Invoke,
    input: unknown,
    options: InvokeOptions | undefined,
  ): Promise<unknown>;
}

/**
 * Bakes a task into one function; a call then does no lookups and merges nothing.
 *
 * Outermost first: failure reporting, journal, global interceptors, `everywhere` middleware, the task's own middleware
 * (each inside its own interceptors), local interceptors, input schema, body, result schema.
 */
export function linkTask(link: TaskLink): Invoke {
  const { task, reportFailure, state } = link;
  let step = linkBody(link);
  step = link.localInterceptors.reduceRight((inner, intercept) => localStep(intercept, inner), step);
  step = link.layers.reduceRight((inner, layer) => layerStep(layer, inner, task), step);
  step = link.globalInterceptors.reduceRight((inner, intercept) => interceptorStep(intercept, inner, task), step);

  const inner = task.streams === true ? sourceStep(step, task.id) : step;
  const failScoped = (error: unknown, scope: CallScope | undefined): never => {
    state.underWay -= 1;
    reportFailure(error, task.id, scope);
    throw error;
  };
  const failPlain = (error: unknown): never => failScoped(error, undefined);
  const { leave } = state;
  const settle = (input: unknown, call: Call, fail: (error: unknown) => never): Promise<unknown> => {
    state.underWay += 1;
    try {
      const result = inner(input, call);
      // The branches of one `then`: a side branch would hide unhandled rejections from the process.
      return (result instanceof Promise ? result : Promise.resolve(result)).then(leave, fail);
    } catch (error) {
      return Promise.reject(error as Error).then(undefined, fail);
    }
  };
  const invokeIn = (input: unknown, options: InvokeOptions, scope: CallScope | undefined): Promise<unknown> => {
    const { journal, items, idempotencyKey } = options;
    if (idempotencyKey !== undefined && link.tunnelId === undefined) {
      const unkeyed = { ...options, idempotencyKey: undefined };
      return state.runKeyed({ task, input, idempotencyKey, scope, hasItems: items !== undefined }, (signal) =>
        invokeIn(input, unkeyed, signal === undefined ? scope : detachedScope(scope, signal)),
      );
    }
    const call = new Call(journal, scope);
    if (items !== undefined) call.given = { items };
    if (idempotencyKey !== undefined) call.idempotencyKey = idempotencyKey;
    return settle(input, call, (error) => failScoped(error, scope));
  };
  const invokeWith = (input: unknown, options: InvokeOptions): Promise<unknown> => {
    const scope = scopeOf(options);
    const timeoutMs = timeoutOf(options);
    const isFlawed = !isSignal(options.signal);
    if (timeoutMs === undefined && !isFlawed) return invokeIn(input, options, scope);
    // The one that is none is refused there.
    const limits = isFlawed ? options : { timeoutMs };
    return inScope(scope, limits, task.id, (limited) => invokeIn(input, options, limited));
  };
  const { trace } = link;
  // Without a function inside it: an engine would keep what such a function reads in an object made for each call.
  const invoke: Invoke = (input, options) => {
    // Asked here and nowhere else of the call; a function around this one would cost more than the question.
    if (trace !== undefined && trace.isOn && options?.isPublished !== true) {
      return trace.publish(link, invoke, input, options);
    }
    return options === undefined
      ? settle(input, new Call(undefined, undefined), failPlain)
      : invokeWith(input, options);
  };
  return invoke;
}

function linkBody(link: TaskLink): Step {
  const { task, run, dependencies, bindDependencies } = link;
  const dependenciesOf = dependenciesPerCall(dependencies, bindDependencies);
  const called: Step =
    dependenciesOf === undefined
      ? (input, call) => run(input, dependencies, call)
      : (input, call) => run(input, dependenciesOf(call), call);
  const body = takesItems(task) ? itemsStep(task, called) : called;
  if (task.streams === true) return withSchemas({ ...task, resultSchema: undefined }, streamStep(link, body));
  return withSchemas(task, body);
}

/** Loaded with the first call, so that applications without streams do without it. */
function streamStep({ task, state, reportFailure }: TaskLink, run: Step): Step {
  const body = { task, state, run, reportFailure, deriveScope, validator, captureSlots };
  return async (input, call) => (await import("./openItems")).openItems(body, input, call);
}

/** As `streamStep`. */
function itemsStep(task: ITask, run: Step): Step {
  const body = { task, run, validator, captureSlots };
  return async (input, call) => (await import("./givenItems")).runWithItems(body, input, call);
}

/** Middleware may put other items in the place of those it got. */
function sourceStep(inner: Step, id: string): Step {
  return async (input, call) => {
    const given: unknown = await inner(input, call);
    return (await import("./openItems")).itemSourceOf(given, id);
  };
}

/** Schemas sit right around the body, so middleware sees the raw input and the validated result. */
function withSchemas(task: ITask, body: Step): Step {
  const { id, inputSchema, resultSchema } = task;
  if (inputSchema === undefined && resultSchema === undefined) return body;
  const parseInput = inputSchema && validator(inputSchema, "Task input", id);
  const parseResult = resultSchema && validator(resultSchema, "Task result", id);
  return async (input, call) => {
    const parsed = parseInput ? parseInput(input) : input;
    const result = await body(isThenable(parsed) ? await parsed : parsed, call);
    return parseResult ? parseResult(result) : result;
  };
}
