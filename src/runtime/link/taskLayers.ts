import type {
  GivenExecutionInput,
  ITaskMiddleware,
  ITaskMiddlewareExecutionInput,
  NextOptions,
} from "../../define/middleware";
import type { ITask } from "../../define/task";
import { isPlainObject } from "../../lib/guards";
import { detachedScope } from "../callScope";
import type { Call } from "./call";
import { dependenciesPerCall, inScope, toPromise, type BindDependencies, type Step } from "./taskStep";

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

/** An interceptor of one task, which sees what its body gets. */
export type LocalInterceptor = (next: (input: unknown) => Promise<unknown>, input: unknown) => unknown;

/** A middleware and the interceptors around it. */
export function layerStep(layer: TaskLayer, inner: Step, task: ITask): Step {
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
export function interceptorStep(
  intercept: TaskMiddlewareInterceptor,
  inner: Step,
  task: ITask,
  skipTo: Step = inner,
): Step {
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

export function localStep(intercept: LocalInterceptor, inner: Step): Step {
  return (input, call) => intercept((passed) => toPromise(inner, passed, call), input);
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
