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
export type { IValidationSchema, Schema, StandardSchema, StandardSchemaIssue } from "./lib/schema";
export type {
  DependencyMap,
  Injectable,
  Injected,
  InjectedInResource,
  InjectedInResourceMap,
  InjectedMap,
  IOptionalDependency,
} from "./lib/injectable";
export type { IsNever, IsUnknown, MaybePromise, Open, OpenConfig, With } from "./lib/typeLevel";
// eslint-disable-next-line no-restricted-syntax -- a file of nothing but public names
export type * from "./define/typeNames";

// Definitions
export type {
  IAsyncContextMeta,
  IEventMeta,
  IMeta,
  IMiddlewareMeta,
  IResourceMeta,
  ITaggable,
  ITagMeta,
  ITaskMeta,
  RegisterableItems,
  ResourceMiddlewareAttachmentType,
  TagType,
  TaskMiddlewareAttachmentType,
} from "./define/attachments";
export type { DependencySource, ReplaceOption } from "./define/builderLists";
export type {
  Bound,
  CarryContracts,
  Contract,
  ContractInput,
  ContractOutput,
  InputContractViolationError,
  OutputBound,
  OutputContractViolationError,
  Sides,
} from "./define/contracts";
export type { ErrorReference, ThrowsList } from "./define/throwsList";
export type {
  AnyTask,
  CallInfo,
  ExtractTaskInput,
  ExtractTaskOutput,
  IPhantomTask,
  ITask,
  ITaskDefinition,
  NewTaskShape,
  PhantomTaskFluentBuilder,
  RunBound,
  RunInput,
  TaskBuilderWithPhantom,
  TaskCaller,
  TaskCallOptions,
  TaskDependency,
  TaskDependencyWithIntercept,
  TaskFluentBuilder,
  TaskLocalInterceptor,
  TaskShape,
} from "./define/task";
export type {
  ExtractResourceConfig,
  ExtractResourceValue,
  InitBound,
  InitConfig,
  IResource,
  IResourceDefinition,
  IResourceWithConfig,
  NewResourceShape,
  OverridableElements,
  ResourceFluentBuilder,
  ResourceInitFn,
  ResourceShape,
} from "./define/resource";
export type { ResourceForkInfo, ResourceForkOptions, ResourceForkRegisterMode } from "./define/fork";
export type {
  CommonPayload,
  EventFluentBuilder,
  EventHandlerType,
  ExtractEventPayload,
  IEvent,
  IEventDefinition,
  IEventEmission,
  PayloadOf,
} from "./define/event";
export type {
  HookFluentBuilder,
  HookOverrideBuilder,
  HookPayload,
  HookShape,
  IHook,
  IHookDefinition,
  NewHookShape,
  OnType,
  ResolvedOn,
  ValidOnTarget,
} from "./define/hook";
export type {
  IResourceMiddleware,
  IResourceMiddlewareConfigured,
  IResourceMiddlewareDefinition,
  IResourceMiddlewareExecutionInput,
  ITaskMiddleware,
  ITaskMiddlewareConfigured,
  ITaskMiddlewareDefinition,
  ITaskMiddlewareExecutionInput,
  MiddlewareShape,
  NewMiddlewareShape,
  ResourceMiddlewareFluentBuilder,
  ResourceMiddlewareReach,
  TaskMiddlewareFluentBuilder,
  TaskMiddlewareReach,
} from "./define/middleware";
export type { ITag, ITagConfigured, ITagDefinition, TagFluentBuilder, WithConfig } from "./define/tag";
export type {
  DefaultErrorType,
  ErrorFluentBuilder,
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
export type { EmitArgs, ResourceHandle, RunTaskArgs, TaskInputOf, TaskResultOf } from "./runtime/run/runResult";
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
export type {
  EventManagerOptions,
  HookExecutionInterceptor,
  IEventHandlerOptions,
} from "./runtime/events/eventManager";
export type { TaskMiddlewareInterceptor } from "./runtime/link/linkTask";
export type { ResourceMiddlewareInterceptor } from "./runtime/link/linkResource";
export type { OnUnhandledError, OnUnhandledErrorInfo, UnhandledErrorKind } from "./runtime/run/unhandledErrors";
