import type { ITaskMiddleware, ITaskMiddlewareExecutionInput } from "../../define/middleware";
import type { ITask } from "../../define/task";
import { isThenable } from "../../lib/guards";
import { Call, signalSourceOf, type InvokeOptions, type SignalSource } from "./call";
import { validator } from "../validator";

/** A linked task: what every caller ends up in. Never throws synchronously. */
export type Invoke = (input: unknown, options?: InvokeOptions) => Promise<unknown>;

/** One step of the chain around a task; may throw, may answer with anything. */
type Step = (input: unknown, call: Call) => unknown;

export type TaskMiddlewareInterceptor = (
  next: (input: ITaskMiddlewareExecutionInput) => Promise<any>, // as the task's result
  input: ITaskMiddlewareExecutionInput,
) => Promise<any>; // as the task's result

/** A middleware with config and dependencies bound, and the interceptors around it. */
export interface TaskLayer {
  readonly run: ITaskMiddleware["run"];
  readonly dependencies: unknown;
  readonly config: unknown;
  /** Last one is outermost. */
  readonly interceptors: readonly TaskMiddlewareInterceptor[];
}

/** All that a task's chain is made of. */
export interface TaskLink {
  readonly task: ITask;
  /** The body; a tunnel puts its own here. */
  readonly run: ITask["run"];
  readonly dependencies: object;
  /** Dependencies for one call, when the caller gave a signal that the tasks among them should inherit. */
  readonly bindDependencies: ((signal: SignalSource) => object) | undefined;
  /** First one is outermost. */
  readonly globalInterceptors: readonly TaskMiddlewareInterceptor[];
  readonly layers: readonly TaskLayer[];
  /** First one is outermost. */
  readonly localInterceptors: readonly ((next: (input: unknown) => Promise<unknown>, input: unknown) => unknown)[];
  readonly reportFailure: (error: unknown, taskId: string, given: SignalSource | undefined) => void;
}

/**
 * Bakes a task into one function; a call then does no lookups and merges nothing.
 *
 * Outermost first: failure reporting, journal, global interceptors, `everywhere` middleware, the task's own middleware
 * (each inside its own interceptors), local interceptors, input schema, body, result schema.
 */
export function linkTask(link: TaskLink): Invoke {
  const { task, reportFailure } = link;
  let step = linkBody(link);
  step = link.localInterceptors.reduceRight((inner, intercept) => localStep(intercept, inner), step);
  step = link.layers.reduceRight((inner, layer) => layerStep(layer, inner, task), step);
  step = link.globalInterceptors.reduceRight((inner, intercept) => interceptorStep(intercept, inner, task), step);

  const inner = step;
  const failGiven = (error: unknown, given: SignalSource | undefined): never => {
    reportFailure(error, task.id, given);
    throw error;
  };
  const failAlone = (error: unknown): never => failGiven(error, undefined);
  return (input, options) => {
    const call =
      options === undefined ? new Call(undefined, undefined) : new Call(options.journal, signalSourceOf(options));
    const { given } = call;
    const fail = given === undefined ? failAlone : (error: unknown): never => failGiven(error, given);
    try {
      const result = inner(input, call);
      // `then` with a failure branch alone: a side branch would hide unhandled rejections from the process.
      return result instanceof Promise ? result.then(undefined, fail) : settle(result, fail);
    } catch (error) {
      return Promise.reject(error as Error).then(undefined, fail);
    }
  };
}

function settle(result: unknown, fail: (error: unknown) => never): Promise<unknown> {
  const promise = Promise.resolve(result);
  return isThenable(result) ? promise.then(undefined, fail) : promise;
}

function linkBody({ task, run, dependencies, bindDependencies }: TaskLink): Step {
  const body: Step =
    bindDependencies === undefined
      ? (input, call) => run(input, dependencies, call)
      : (input, call) => run(input, call.given === undefined ? dependencies : bindDependencies(call.given), call);
  return withSchemas(task, body);
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

/** What middleware and interceptors look at; a class, because one is made per layer and call. */
class ExecutionInput implements ITaskMiddlewareExecutionInput {
  readonly task: { readonly definition: ITask; readonly input: unknown };
  readonly next: (input?: unknown) => Promise<any>; // as the task's result
  readonly #call: Call;

  constructor(definition: ITask, input: unknown, next: (input?: unknown) => Promise<unknown>, call: Call) {
    this.task = { definition, input };
    this.next = next;
    this.#call = call;
  }

  get journal() {
    return this.#call.journal;
  }
}

function layerStep(layer: TaskLayer, inner: Step, task: ITask): Step {
  const { run, dependencies, config } = layer;
  let step: Step = (input, call) =>
    run(new ExecutionInput(task, input, nextOf(inner, input, call), call), dependencies, config);
  for (const intercept of layer.interceptors) step = interceptorStep(intercept, step, task, inner);
  return step;
}

/**
 * Calls an interceptor around a step. Its `input.next` goes on at `skipTo`: past the middleware that it intercepts, as
 * the middleware's own `next` would.
 */
function interceptorStep(intercept: TaskMiddlewareInterceptor, inner: Step, task: ITask, skipTo: Step = inner): Step {
  return (input, call) =>
    intercept(
      (passed) => toPromise(inner, passed.task.input, call),
      new ExecutionInput(task, input, nextOf(skipTo, input, call), call),
    );
}

function localStep(intercept: TaskLink["localInterceptors"][number], inner: Step): Step {
  return (input, call) => intercept((passed) => toPromise(inner, passed, call), input);
}

/** `next()` keeps the current input, `next(undefined)` replaces it. */
function nextOf(inner: Step, input: unknown, call: Call): (input?: unknown) => Promise<unknown> {
  return function next(passed?: unknown) {
    return toPromise(inner, arguments.length === 0 ? input : passed, call);
  };
}

/** What user code awaits or chains on is always a promise, even around a body that is not async. */
function toPromise(step: Step, input: unknown, call: Call): Promise<unknown> {
  try {
    const result = step(input, call);
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}
