import type { TraceContext } from "../../lib/traceContext";
import { TracePoint } from "../../platform/tracePoint";
import type { CallScope } from "../../runtime/callScope";
import type { InvokeOptions } from "../../runtime/link/call";
import type { Invoke, TaskLink, TaskTracing } from "../../runtime/link/linkTask";
import type { CallTrace, EventTrace, RequestTrace, RunObserver, RunTracing, TaskTrace } from "../../runtime/tracing";

/** What is published of one run: on the channels of the process, and to observers of its own. */
export function createRunTracing(observe: RunObserver | undefined): RunTracing {
  const observers = observe === undefined ? [] : [observe];
  const events = new TracePoint<EventTrace>("runner:event", observers);
  return {
    observers,
    requests: new TracePoint<RequestTrace>("runner:request", observers),
    calls: new TracePoint<CallTrace>("runner:call", observers),
    tasks: new PublishedTasks(observers),
    heldBytes: [],
    event(eventId, { isUnheard, emit, emitWithResult }) {
      const traced =
        <R>(emitIt: (data: unknown, source: string, scope?: CallScope) => Promise<R>) =>
        (data: unknown, source: string, scope?: CallScope): Promise<R> => {
          if (!events.isOn) return emitIt(data, source, scope);
          const message: EventTrace = { eventId, source, ...describe(scope) };
          const { trace } = message;
          return events.run(message, () =>
            emitIt(data, source, message.trace === trace ? scope : new Retraced(scope, message.trace)),
          );
        };
      return { isUnheard, emit: traced(emit), emitWithResult: traced(emitWithResult) };
    },
  };
}

class PublishedTasks extends TracePoint<TaskTrace> implements TaskTracing {
  constructor(observers: readonly RunObserver[]) {
    super("runner:task", observers);
  }

  publish(
    { task, tunnelId }: Pick<TaskLink, "task" | "tunnelId">,
    invoke: Invoke,
    input: unknown,
    options: InvokeOptions = {},
  ): Promise<unknown> {
    const outer = options.scope;
    const message: TaskTrace = { taskId: task.id, tunnelId, ...describe(outer) };
    const { trace } = message;
    return this.run(message, () => {
      const scope = message.trace === trace ? outer : new Retraced(outer, message.trace);
      return invoke(input, { ...options, scope, isPublished: true });
    });
  }
}

const describe = (scope: CallScope | undefined) => ({
  trace: scope?.trace,
  origin: scope?.origin ?? "local",
  caller: scope?.caller?.name,
  requestId: scope?.requestId,
  deadline: scope?.deadline,
});

/** A scope at another place in the trace. Everything else is read when it is asked for, as of the outer one. */
class Retraced implements CallScope {
  readonly trace: TraceContext | undefined;
  readonly #outer: CallScope | undefined;
  #never: AbortSignal | undefined;

  constructor(outer: CallScope | undefined, trace: TraceContext | undefined) {
    this.#outer = outer;
    this.trace = trace;
  }

  get signal(): AbortSignal {
    return this.#outer?.signal ?? (this.#never ??= new AbortController().signal);
  }

  get deadline(): CallScope["deadline"] {
    return this.#outer?.deadline;
  }

  get requestId(): string | undefined {
    return this.#outer?.requestId;
  }

  get origin(): string | undefined {
    return this.#outer?.origin;
  }

  get caller(): CallScope["caller"] {
    return this.#outer?.caller;
  }

  get path(): CallScope["path"] {
    return this.#outer?.path;
  }
}
