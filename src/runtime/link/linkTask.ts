import type {
  GivenExecutionInput,
  ITaskMiddleware,
  ITaskMiddlewareExecutionInput,
  NextOptions,
} from "../../define/middleware";
import { takesItems } from "../../define/itemInput";
import type { ITask } from "../../define/task";
import { describeValue } from "../../lib/describeValue";
import { isPlainObject, isThenable } from "../../lib/guards";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { captureSlots } from "../../platform/contextScope";
import { deriveScope, detachedScope, type CallScope, type ScopeLimits } from "../callScope";
import type { RunState } from "../runState";
import { validator } from "../validator";
import { Call, scopeOf, timeoutOf, type InvokeOptions } from "./call";

/** A linked task: what every caller ends up in. Never throws synchronously. */
export type Invoke = (input: unknown, options?: InvokeOptions) => Promise<unknown>;

/** One step of the chain around a task; may throw, may return anything. */
type Step = (input: unknown, call: Call) => unknown;

/** Wraps executions of tasks: calls `next` to go on, and resolves to the result. */
export type TaskMiddlewareInterceptor = (
  next: (input: GivenExecutionInput) => Promise<any>, // as the task's result
  input: ITaskMiddlewareExecutionInput,
) => Promise<any>; // as the task's result

/** A middleware with config and dependencies bound, and the interceptors around it. */
export interface TaskLayer {
  readonly run: ITaskMiddleware["run"];
  readonly dependencies: object;
  readonly bindDependencies: BindDependencies | undefined;
  readonly config: unknown;
  /** Last one is outermost. */
  readonly interceptors: readonly TaskMiddlewareInterceptor[];
}

/** Dependencies for one call, with those among them that call or emit bound to its scope. */
export type BindDependencies = (scope: CallScope) => object;

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
  readonly localInterceptors: readonly ((next: (input: unknown) => Promise<unknown>, input: unknown) => unknown)[];
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
    if (timeoutMs === undefined) return invokeIn(input, options, scope);
    return inScope(scope, { timeoutMs }, task.id, (limited) => invokeIn(input, options, limited));
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

/** @returns `undefined` when every call gets the same */
const dependenciesPerCall = (
  shared: object,
  bind: BindDependencies | undefined,
): ((call: Call) => object) | undefined => bind && (({ scope }) => (scope === undefined ? shared : bind(scope)));

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
  readonly next: Next;
  readonly #call: Call;

  constructor(definition: ITask, input: unknown, next: Next, call: Call) {
    this.task = { definition, input };
    this.next = next;
    this.#call = call;
  }

  get journal() {
    return this.#call.journal;
  }

  get signal() {
    return this.#call.signal;
  }

  get deadline() {
    return this.#call.deadline;
  }

  get origin() {
    return this.#call.origin;
  }

  get name() {
    return this.#call.name;
  }

  get principal() {
    return this.#call.principal;
  }

  get idempotencyKey() {
    return this.#call.idempotencyKey;
  }
}

/** `next()` keeps the current input, `next(undefined)` replaces it. */
type Next = (input?: unknown, options?: NextOptions) => Promise<any>; // as the task's result

function layerStep(layer: TaskLayer, inner: Step, task: ITask): Step {
  const { run, dependencies, bindDependencies, config } = layer;
  const dependenciesOf = dependenciesPerCall(dependencies, bindDependencies);
  let step: Step = (input, call) => {
    // Made here, so that what it remembers of the layer is not remembered once more for each call.
    const next: Next = function next(passed?: unknown, options?: NextOptions) {
      const given = arguments.length === 0 ? input : passed;
      return options === undefined
        ? toPromise(inner, given, call)
        : goOnDerived(inner, given, { call, options, id: task.id });
    };
    const received = dependenciesOf === undefined ? dependencies : dependenciesOf(call);
    return run(new ExecutionInput(task, input, next, call), received, config);
  };
  for (const intercept of layer.interceptors) step = interceptorStep(intercept, step, task, inner);
  return step;
}

/**
 * Calls an interceptor around a step. Its `input.next` goes on at `skipTo`: past the middleware that it intercepts, as
 * the middleware's own `next` would.
 */
function interceptorStep(intercept: TaskMiddlewareInterceptor, inner: Step, task: ITask, skipTo: Step = inner): Step {
  return (input, call) => {
    const next: Next = function next(passed?: unknown, options?: NextOptions) {
      const given = arguments.length === 0 ? input : passed;
      return options === undefined
        ? toPromise(skipTo, given, call)
        : goOnDerived(skipTo, given, { call, options, id: task.id });
    };
    return intercept(
      (passed) => toPromise(inner, passed.task.input, call),
      new ExecutionInput(task, input, next, call),
    );
  };
}

function localStep(intercept: TaskLink["localInterceptors"][number], inner: Step): Step {
  return (input, call) => intercept((passed) => toPromise(inner, passed, call), input);
}

/** Goes on under a scope that also aborts as the middleware says, until what is inside has settled. */
function goOnDerived(step: Step, input: unknown, { call, options, id }: Derivation): Promise<unknown> {
  const inside = (scoped: Call): Promise<unknown> => toPromise(step, input, scoped);
  // 5.x ignored further arguments, and callbacks are passed to functions that give more than one.
  const { signal, timeoutMs, detached }: NextOptions = isPlainObject(options) ? options : noOptions;
  const own = signal instanceof AbortSignal ? signal : undefined;
  if (own !== undefined && detached === true) return inside(call.within(detachedScope(call.scope, own, timeoutMs)));
  if (own === undefined && timeoutMs === undefined) return inside(call);
  return inScope(call.scope, { signal: own, timeoutMs }, id, (scope) => inside(call.within(scope)));
}

/** What a middleware asked of `next`, in which call of which task. */
interface Derivation {
  readonly call: Call;
  readonly options: NextOptions;
  readonly id: string;
}

const noOptions: NextOptions = {};

/** Runs a part of a call under limits of its own. When its time is up it is not waited for, though it may go on. */
async function inScope(
  outer: CallScope | undefined,
  limits: ScopeLimits,
  id: string,
  part: (scope: CallScope) => Promise<unknown>,
): Promise<unknown> {
  const { timeoutMs = 1 } = limits;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw new TypeError(`timeoutMs of a call of "${id}" is a number of milliseconds, got ${describeValue(timeoutMs)}.`);
  }
  const { scope, expired, release } = deriveScope(outer, limits, id);
  try {
    return await settleOrAbort(part(scope), expired);
  } finally {
    release();
  }
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
