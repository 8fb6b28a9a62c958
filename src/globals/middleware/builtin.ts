import type { JournalKey } from "../../define/journal";
import { createMiddleware } from "../../define/createMiddleware";
import {
  type IResourceMiddlewareExecutionInput,
  type ITaskMiddlewareExecutionInput,
  type ResourceMiddleware,
  type TaskMiddleware,
} from "../../define/middleware";
import type { DependencyMap, InjectedMap } from "../../lib/injectable";
import type { Schema } from "../../lib/schema";
import { symbolFramework } from "../../lib/symbols";
import { globalTags } from "../tags";

/** Keys of what a middleware writes to the journal of an execution. */
export type JournalKeys = Readonly<Record<string, JournalKey<any>>>;

/** A task middleware of the framework. Attaching it is enough: it need not be registered. */
export interface BuiltinTaskMiddleware<C, Keys = {}> extends TaskMiddleware<C, void, void, {}> {
  /** What it writes to the journal of an execution. */
  readonly journalKeys: Keys;
}

/** A resource middleware of the framework. Attaching it is enough: it need not be registered. */
export interface BuiltinResourceMiddleware<C> extends ResourceMiddleware<C, void, void, {}> {}

interface BuiltinDraft<C, D extends DependencyMap> {
  readonly id: string;
  readonly dependencies?: D;
  readonly configSchema: Schema<C>;
}

interface TaskDraft<C, D extends DependencyMap, Keys> extends BuiltinDraft<C, D> {
  readonly journalKeys?: Keys;
  /** Gives one result to several callers, so that it cannot be around a streamed task. */
  readonly refusesStreams?: true;
  /** Runs a task again, so that it cannot be around one that takes items, which are read once. */
  readonly refusesItems?: true;
  run(input: ITaskMiddlewareExecutionInput, dependencies: InjectedMap<D>, config: C): Promise<unknown>;
}

interface ResourceDraft<C, D extends DependencyMap> extends BuiltinDraft<C, D> {
  run(input: IResourceMiddlewareExecutionInput, dependencies: InjectedMap<D>, config: C): Promise<unknown>;
}

/** Makes a task middleware of the framework, which comes with what refers to it. */
export const builtinTaskMiddleware = <C, D extends DependencyMap = {}, Keys extends JournalKeys = {}>(
  draft: TaskDraft<C, D, Keys>,
): BuiltinTaskMiddleware<C, Keys> =>
  createMiddleware(
    "taskMiddleware",
    {
      journalKeys: {},
      ...draft,
      tags: [globalTags.system],
      [symbolFramework]: { refusesStreams: draft.refusesStreams, refusesItems: draft.refusesItems },
    },
    () => "unknown",
  ) as BuiltinTaskMiddleware<C, Keys>;

/** Makes a resource middleware of the framework, which comes with what refers to it. */
export const builtinResourceMiddleware = <C, D extends DependencyMap = {}>(
  draft: ResourceDraft<C, D>,
): BuiltinResourceMiddleware<C> =>
  createMiddleware(
    "resourceMiddleware",
    { ...draft, tags: [globalTags.system], [symbolFramework]: {} },
    () => "unknown",
  ) as BuiltinResourceMiddleware<C>;
