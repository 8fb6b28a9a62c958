import { builderIncompleteError, given } from "../errors/bootErrors";
import { taskNotRoutedError } from "../errors/runErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { noEntries, noItems } from "../lib/nothing";
import {
  optional,
  type DependencyMap,
  type Injected,
  type InjectedMap,
  type ReceivedBy,
  type ReturnedBy,
} from "../lib/injectable";
import type { Schema } from "../lib/schema";
import { symbolPhantomTask, symbolTask } from "../lib/symbols";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import type { GivenMeta, ITaskMeta, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import { assertId } from "./brand";
import { appendTo, mergeDependencies, type DependencySource, type ReplaceOption } from "./builderLists";
import type { IPhantomTask, ITask, Task } from "./task";
import type {
  NewTaskBuilder,
  PhantomTaskStarter,
  RemoteTaskOptions,
  TaskBuilderWithPhantom,
  TaskDefinition,
} from "./taskBuilder";
import { normalizeThrows, type ThrowsList } from "./throwsList";

/** Everything a task is made from, without its types. */
export interface TaskDraft {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly middleware?: readonly TaskMiddlewareAttachmentType[] | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: GivenMeta<ITaskMeta> | undefined;
  readonly inputSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  readonly throws?: ThrowsList | undefined;
  readonly run?: ITask["run"] | undefined;
  readonly streams?: boolean | undefined;
  readonly itemSchema?: Schema | undefined;
  readonly takesItems?: true | undefined;
  readonly itemInputSchema?: Schema | undefined;
}

function startTask<Id extends string>(id: Id): NewTaskBuilder<Id> {
  assertId("task", id);
  return taskBuilderOf({ id }, captureFilePath(startTask)) as NewTaskBuilder<any>; // of this id
}

export const taskBuilder: TaskBuilderWithPhantom = /* @__PURE__ */ Object.assign(startTask, {
  phantom: /* @__PURE__ */ Object.assign(phantomTaskBuilder, {
    of: remoteTask,
    stream: phantomStreamBuilder,
  }) as PhantomTaskStarter,
});

/** Starts a task without a body; a tunnel routes its calls. The types exist only for the checker. */
function phantomTaskBuilder(id: string): unknown {
  assertId("task", id);
  return new PhantomDraftBuilder({ id }, captureFilePath(phantomTaskBuilder));
}

/** As above, of a streamed task. */
function phantomStreamBuilder(id: string): unknown {
  assertId("task", id);
  return new PhantomDraftBuilder({ id, streams: true }, captureFilePath(phantomStreamBuilder));
}

/** Makes a task that another program runs. */
export function remoteTask(id: string, options: RemoteTaskOptions = {}): ITask {
  assertId("task", id);
  const run = () => Promise.reject(taskNotRoutedError.create({ taskId: id }));
  return createTask({ ...options, id, run }, captureFilePath(remoteTask), true);
}

/** Makes a task from a definition object; everything is inferred from it. */
function taskFromDefinition<
  I = undefined,
  O extends Promise<any> = any,
  D extends DependencyMap = never,
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with type arguments of 5.x
  M = any,
  const Tags extends readonly TagType[] = readonly TagType[],
  const Mw extends readonly TaskMiddlewareAttachmentType[] = readonly TaskMiddlewareAttachmentType[],
  Id extends string = any,
>(
  definition: TaskDefinition<I, O, D, ReceivedBy<D, Id, InjectedMap<D>>, ReturnedBy<O, Id>, Tags, Mw, Id>,
): Task<I, O, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("task", definition.id);
  return createTask(definition, captureFilePath(taskFromDefinition));
}

/** Makes a phantom task from a definition object. */
export function definePhantomTask<I = undefined, O extends Promise<any> = any>(
  definition: Omit<TaskDraft, "run">,
): IPhantomTask<I, Awaited<O>> {
  assertId("task", definition.id);
  return createPhantomTask(definition, captureFilePath(definePhantomTask));
}

/** `defineTask({ ... })`, and `defineTask.phantom({ ... })` without a body. */
export const defineTask = /* @__PURE__ */ Object.assign(taskFromDefinition, { phantom: definePhantomTask });

/**
 * What both builders share. A class, because an application makes several builders per task and the methods of a
 * prototype cost nothing each time.
 */
abstract class DraftBuilder<Builder> {
  readonly id: string;
  protected readonly draft: TaskDraft;
  protected readonly filePath: FilePath;

  constructor(draft: TaskDraft, filePath: FilePath) {
    this.id = draft.id;
    this.draft = draft;
    this.filePath = filePath;
    Object.freeze(this);
  }

  protected abstract with(patch: Partial<TaskDraft>): Builder;

  dependencies(added: DependencySource, option?: ReplaceOption): Builder {
    assertDependencies("Task", this.id, added);
    return this.with({ dependencies: mergeDependencies(this.draft, added, option) });
  }

  tags(tags: readonly TagType[], option?: ReplaceOption): Builder {
    assertList("Task", this.id, "tags", tags);
    return this.with({ tags: appendTo(this.draft.tags, tags, option) });
  }

  middleware(middleware: readonly TaskMiddlewareAttachmentType[], option?: ReplaceOption): Builder {
    assertList("Task", this.id, "middleware", middleware);
    return this.with({ middleware: appendTo(this.draft.middleware, middleware, option) });
  }

  inputSchema(inputSchema: Schema): Builder {
    return this.with({ inputSchema });
  }

  resultSchema(resultSchema: Schema): Builder {
    return this.with({ resultSchema });
  }

  itemSchema(itemSchema: Schema): Builder {
    return this.with({ itemSchema });
  }

  itemInput(...[itemInputSchema]: readonly [Schema?]): Builder {
    return this.with({ takesItems: true, ...(arguments.length > 0 && { itemInputSchema }) });
  }

  throws(throws: ThrowsList): Builder {
    assertList("Task", this.id, "throws", throws);
    return this.with({ throws });
  }

  meta(meta: ITaskMeta): Builder {
    return this.with({ meta });
  }
}

class TaskDraftBuilder extends DraftBuilder<TaskDraftBuilder> {
  protected with(patch: Partial<TaskDraft>): TaskDraftBuilder {
    return new TaskDraftBuilder({ ...this.draft, ...given("Task", this.id, patch) }, this.filePath);
  }

  run(run: ITask["run"]): TaskDraftBuilder {
    assertFunction("Task", this.id, "run", run);
    return this.with({ run, streams: false });
  }

  stream(run: ITask["run"]): TaskDraftBuilder {
    assertFunction("Task", this.id, "stream", run);
    return this.with({ run, streams: true });
  }

  build(): ITask {
    return createTask(this.draft, this.filePath);
  }
}

class PhantomDraftBuilder extends DraftBuilder<PhantomDraftBuilder> {
  protected with(patch: Partial<TaskDraft>): PhantomDraftBuilder {
    return new PhantomDraftBuilder({ ...this.draft, ...given("Task", this.id, patch) }, this.filePath);
  }

  build(): IPhantomTask {
    return createPhantomTask(this.draft, this.filePath);
  }
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export const taskBuilderOf = (draft: TaskDraft, filePath: FilePath): NewTaskBuilder =>
  new TaskDraftBuilder(draft, filePath) as unknown as NewTaskBuilder; // the types exist only for the checker

/** @internal */
export function createTask(draft: TaskDraft, filePath: FilePath, phantom = false): ITask {
  const { id, dependencies = noEntries, middleware = noItems, tags = noItems, meta = noEntries } = draft;
  const { inputSchema, resultSchema, run } = draft;
  if (typeof run !== "function") {
    throw builderIncompleteError.create({ type: "task", builderId: id, missingFields: ["run"] });
  }
  assertSchema("Task", id, "inputSchema", inputSchema);
  assertSchema("Task", id, "resultSchema", resultSchema);
  assertSchema("Task", id, "itemSchema", draft.itemSchema);
  assertSchema("Task", id, "itemInputSchema", draft.itemInputSchema);
  const definition = {
    kind: "task",
    id,
    dependencies,
    middleware,
    tags,
    meta,
    inputSchema,
    resultSchema,
    throws: normalizeThrows("task", id, draft.throws),
    run,
    optional,
    [symbolTask]: true,
    ...(draft.streams && { streams: true, itemSchema: draft.itemSchema }),
    ...(draft.takesItems && { takesItems: true, itemInputSchema: draft.itemInputSchema }),
  };
  withFilePath(definition, filePath);
  return Object.freeze(phantom ? Object.assign(definition, { [symbolPhantomTask]: true }) : definition) as ITask;
}

function createPhantomTask(draft: TaskDraft, filePath: FilePath): IPhantomTask {
  return createTask({ ...draft, run: unrouted }, filePath, true) as IPhantomTask;
}

/** The body of every phantom task. */
const unrouted = (): Promise<undefined> => Promise.resolve(undefined);
