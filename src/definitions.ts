/**
 * The `definitions` namespace, and the types of entry `.`: what people name in annotations, and the brands.
 */
export {
  CONTRACT,
  symbolAsyncContext,
  symbolError,
  symbolEvent,
  symbolFilePath,
  symbolHook,
  symbolMiddleware,
  symbolMiddlewareConfigured,
  symbolOptionalDependency,
  symbolPhantomTask,
  symbolResource,
  symbolResourceForkedFrom,
  symbolResourceMiddleware,
  symbolResourceWithConfig,
  symbolTag,
  symbolTagConfigured,
  symbolTask,
  symbolTaskMiddleware,
  symbolTunneledBy,
} from "./lib/symbols";
export { isOneOf, onAnyOf } from "./define/event";
export { HookDependencyState } from "./runtime/link/cells";
export { RunnerMode } from "./runtime/run/options";

// Schemas and dependencies
export type { IdOf, IdSlot } from "./lib/idSlot";
export type {
  IValidationSchema,
  Schema,
  StandardSchema,
  StandardSchemaIssue,
  StatedOutput,
  StatedSchema,
} from "./lib/schema";
export type {
  DependencyMap,
  Injectable,
  Injected,
  InjectedInResource,
  InjectedInResourceMap,
  InjectedMap,
  IOptionalDependency,
  Unbuilt,
} from "./lib/injectable";
export type { IsNever, IsUnknown, MaybePromise, Open, OpenConfig } from "./lib/typeLevel";
// eslint-disable-next-line no-restricted-syntax -- a file of nothing but public names
export type * from "./define/typeNames";

// Definitions
export type {
  GivenMeta,
  IAsyncContextMeta,
  IEventMeta,
  IMeta,
  IMiddlewareMeta,
  IResourceMeta,
  ITaggable,
  ITagMeta,
  ITaskMeta,
  RegisterableItem,
  ResourceMiddlewareAttachmentType,
  TagType,
  TaskMiddlewareAttachmentType,
} from "./define/attachments";
export type { DependencySource, ListedDependencies, ReplaceOption } from "./define/builderLists";
export type {
  Bound,
  Carrying,
  Contract,
  ContractInput,
  ContractOutput,
  ContractShape,
  FixedOutput,
  InputContractViolationError,
  NoContracts,
  OutputBound,
  OutputContractViolationError,
  RunBound,
  RunInput,
  Sides,
} from "./define/contracts";
export type {
  ItemCallInfo,
  ItemCallOptions,
  ItemInputStreamBuilder,
  ItemInputStreamTask,
  ItemInputTask,
  ItemInputTaskBuilder,
  ItemsOption,
  ItemsToSend,
  ItemTaskCaller,
  PhantomItemInputBuilder,
  PhantomItemInputTask,
  TaskItems,
} from "./define/itemInput";
export type { ItemIterator, ItemStream } from "./lib/itemStream";
export type { EventNames, IdempotentTaskName, TaskName, TaskNames } from "./define/remote";
export type { SafeItemStream, SafeResult } from "./define/safe";
export type {
  HeardEvent,
  HeardOf,
  SubscribableEvent,
  SubscribeOptions,
  Subscription,
  SubscriptionGap,
} from "./define/subscription";
export type { ErrorReference, ErrorSlot, ErrorsOf, ThrowsList } from "./define/throwsList";
export type {
  AnyTask,
  CallerFacts,
  CallInfo,
  ExtractTaskInput,
  ExtractTaskOutput,
  GivenCallInfo,
  Interceptable,
  IPhantomTask,
  ITask,
  PhantomStreamTask,
  StreamTask,
  Task,
  TaskCaller,
  TaskCallOptions,
  TaskDependency,
  TaskDependencyWithIntercept,
  TaskInput,
  TaskLocalInterceptor,
} from "./define/task";
export type {
  NewTaskBuilder,
  PhantomStreamTaskBuilder,
  PhantomTaskBuilder,
  RemoteTask,
  RemoteTaskOptions,
  StreamTaskBuilder,
  TaskBuilder,
  TaskBuilderWithPhantom,
  TaskDefinition,
} from "./define/taskBuilder";
export type {
  ExtractResourceConfig,
  ExtractResourceValue,
  IResource,
  IResourceWithConfig,
  OverridableElements,
  RegisterableItems,
  RegisterListing,
  Resource,
  ResourceWithConfig,
  Within,
} from "./define/resource";
export type {
  HeldIn,
  InitBound,
  InitConfig,
  NewResourceBuilder,
  ResourceBuilder,
  ResourceDefinition,
} from "./define/resourceBuilder";
export type { ResourceForkInfo, ResourceForkOptions, ResourceForkRegisterMode } from "./define/fork";
export type {
  CommonPayload,
  EventFluentBuilder,
  EventHandlerType,
  EventReference,
  EventStarter,
  ExtractEventPayload,
  IEvent,
  IEventDefinition,
  IEventEmission,
  PayloadOf,
} from "./define/event";
export type {
  Hook,
  HookBuilder,
  HookDefinition,
  HookOverride,
  HookPayload,
  IHook,
  NewHookBuilder,
  OnType,
  ResolvedOn,
  ValidOnTarget,
} from "./define/hook";
export type {
  IResourceMiddleware,
  IResourceMiddlewareConfigured,
  IResourceMiddlewareExecutionInput,
  ITaskMiddleware,
  ITaskMiddlewareConfigured,
  ITaskMiddlewareExecutionInput,
  ResourceMiddleware,
  ResourceMiddlewareConfigured,
  ResourceMiddlewareReach,
  TaskMiddleware,
  TaskMiddlewareConfigured,
  TaskMiddlewareReach,
} from "./define/middleware";
export type {
  ResourceMiddlewareBuilder,
  ResourceMiddlewareDefinition,
  TaskMiddlewareBuilder,
  TaskMiddlewareDefinition,
} from "./define/middlewareBuilder";
export type { ITag, ITagConfigured, ITagDefinition, TagFluentBuilder, WithConfig } from "./define/tag";
export type {
  DefaultErrorType,
  DataBound,
  ErrorFluentBuilder,
  ErrorStarter,
  IErrorDefinition,
  IErrorHelper,
  IErrorMeta,
  RunnerError,
} from "./errors/defineError";
export type {
  AsyncContextFluentBuilder,
  IAsyncContext,
  IAsyncContextDefinition,
  RequireContextMiddlewareConfig,
} from "./define/asyncContext";
export type { OverrideBuilder, OverridePatch } from "./define/override";
export type { ExecutionJournal, JournalKey, JournalSetOptions } from "./define/journal";

// Runs
export type { RunLogOptions, RunOptions } from "./runtime/run/options";
export type {
  EmitArgs,
  ResourceHandle,
  RunTaskArgs,
  RunTaskArgsOf,
  TaskInputOf,
  TaskResultOf,
} from "./runtime/run/runResult";
export type { Store } from "./runtime/run/store";
export type { MiddlewareManager } from "./runtime/link/middlewareManager";
export type { TaskRunner } from "./runtime/run/presets";
export type { TaskStoreElementType } from "./runtime/link/taskCell";
export type {
  EventStoreElementType,
  HookStoreElementType,
  ResourceMiddlewareStoreElementType,
  ResourceStoreElementType,
  TaskMiddlewareStoreElementType,
} from "./runtime/link/cells";
export type { EventEmissionInterceptor } from "./runtime/events/linkEvent";
export type { IEventHandlerOptions } from "./runtime/events/eventListeners";
export type { HookExecutionInterceptor } from "./runtime/events/attachedHook";
export type { EventManagerOptions } from "./runtime/events/eventManager";
export type { TaskMiddlewareInterceptor } from "./runtime/link/taskLayers";
export type { ResourceMiddlewareInterceptor } from "./runtime/link/linkResource";
export type { CallFacts } from "./lib/callFacts";
export type { OnUnhandledError, OnUnhandledErrorInfo, UnhandledErrorKind } from "./runtime/run/unhandledErrors";
