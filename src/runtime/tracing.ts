import type { CallDeadline } from "../define/task";
import type { Traced, TracePhase, TracePoint } from "../platform/tracePoint";
import type { LinkedEvent } from "./events/linkEvent";
import type { TaskTracing } from "./link/linkTask";

/** What a call of this process shares with all it calls in turn, as messages show it. Never inputs, never the principal. */
interface TracedScope extends Traced {
  /** What it came in by, as `"exposure:http"`; else `"local"`. */
  readonly origin: string;
  /** Who called from outside. */
  readonly caller?: string | undefined;
  /** Id of the request that it is made for. */
  readonly requestId?: string | undefined;
  /** What is left of the time, where a caller on the way set one. */
  readonly deadline?: CallDeadline | undefined;
}

/** Message of `runner:task`: one call of a task. */
export interface TaskTrace extends TracedScope {
  readonly taskId: string;
  /** The tunnel that takes the call to another process. */
  readonly tunnelId?: string | undefined;
}

/** Message of `runner:event`: one emission. */
export interface EventTrace extends TracedScope {
  readonly eventId: string;
  /** Id of what emits. */
  readonly source: string;
}

/** Message of `runner:request`: one request that a server serves, or refuses. One of the ids, or neither for others. */
export interface RequestTrace extends Traced {
  readonly taskId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly origin: string;
  /** Who called, once that is known. */
  caller?: string | undefined;
  /** Of the reply, once there is one. */
  status?: number | undefined;
  /** Why it was refused, or failed; absent where it did neither. */
  code?: string | undefined;
  /** Id of the error that the caller gets, where it was declared. */
  errorId?: string | undefined;
  /** Of the body that arrived, and of the one that was sent, as they are on the wire. */
  bytesIn?: number | undefined;
  bytesOut?: number | undefined;
}

/** Message of `runner:call`: one call of a client. */
export interface CallTrace extends Traced {
  readonly taskId?: string | undefined;
  readonly eventId?: string | undefined;
  /** Where the server is, as `"http://127.0.0.1:7070"`. */
  readonly origin: string;
  readonly path: string;
  status?: number | undefined;
  /** What the server says in place of a result, or what kept the client from reaching it. */
  code?: string | undefined;
  errorId?: string | undefined;
  /** Of the reply's text; absent for streams. */
  bytesIn?: number | undefined;
  /** Of the text that was sent; absent for streams and files. */
  bytesOut?: number | undefined;
}

/** One phase of one call, as `run(app, { observe })` receives it. */
export type TraceEvent =
  | { readonly channel: "runner:task"; readonly phase: TracePhase; readonly message: TaskTrace }
  | { readonly channel: "runner:event"; readonly phase: TracePhase; readonly message: EventTrace }
  | { readonly channel: "runner:request"; readonly phase: TracePhase; readonly message: RequestTrace }
  | { readonly channel: "runner:call"; readonly phase: TracePhase; readonly message: CallTrace };

/** Receives what a run does, as it happens. */
export type RunObserver = (event: TraceEvent) => void;

/** What is published of one run. */
export interface RunTracing {
  /** Receive what is published of this run, on every platform. */
  readonly observers: RunObserver[];
  readonly requests: TracePoint<RequestTrace>;
  readonly calls: TracePoint<CallTrace>;
  readonly tasks: TaskTracing;
  /** What the servers of the run hold in memory of bodies and replies, in bytes; each server adds one. */
  readonly heldBytes: (() => number)[];
  /** The same event, published. */
  event(eventId: string, linked: LinkedEvent): LinkedEvent;
}
