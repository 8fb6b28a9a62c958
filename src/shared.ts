/** What the entries `.` have, whatever else they come with. */

// Building
export { r } from "./builders";
export { defineTask, defineTask as task } from "./define/createTask";
export {
  defineResourceOrTunnel as defineResource,
  defineResourceOrTunnel as resource,
} from "./tunnels/routing/tunnelResourceDefinition";
export { defineEvent, defineEvent as event } from "./define/event";
export { defineHook, defineHook as hook } from "./define/hook";
export {
  defineResourceMiddleware,
  defineResourceMiddleware as resourceMiddleware,
  defineTaskMiddleware,
  defineTaskMiddleware as taskMiddleware,
} from "./define/createMiddleware";
export { defineTag, defineTag as tag } from "./define/tag";
export { defineOverride, defineOverride as override } from "./define/override";
export { createContext, defineAsyncContext, defineAsyncContext as asyncContext } from "./define/asyncContext";
export { journal } from "./define/journal";
export * as definitions from "./definitions";
export * from "./definitions";

// Running
export { run, type Run, type RunResult, type RunnableRoot } from "./run";
export { createTestResource, type TestFacade } from "./testing";
export { EventManager } from "./runtime/events/eventManager";
export { Queue, type QueueEvent, type QueueEventType } from "./globals/resources/queue";
export type { Queues } from "./globals/resources/queues";
export { Semaphore, type SemaphoreEvent, type SemaphoreEventType } from "./lib/semaphore";
export { Logger, type ILog, type ILogInfo, type LogLevels } from "./globals/resources/logger";
export type {
  ColorTheme,
  LogPrinterLevels,
  LogPrinterPrintStrategy,
  PrintableLog,
  PrintStrategy,
} from "./globals/resources/logFormat";
export {
  bindProcessErrorHandler,
  createDefaultUnhandledError,
  safeReportUnhandledError,
} from "./runtime/run/unhandledErrors";
export {
  PlatformAdapter,
  setPlatform,
  type IAsyncLocalStorage,
  type IPlatformAdapter,
  type PlatformClearTimeout,
  type PlatformId,
  type PlatformSetTimeout,
} from "./platform/platform";
export type { SystemTagConfig } from "./globals/tags";
export { debug, debugLevels, levelNormal, levelVerbose, allFalse } from "./globals/debug/debug";
export { getConfig } from "./globals/debug/debugTag";
export { observer } from "./globals/tracing/observer";
export { metrics, type Metrics } from "./globals/metrics/metrics";
export type { MetricsConfig } from "./globals/metrics/metricsConfig";
export type { PromClient, PromRegistry } from "./globals/metrics/promInstruments";
export type { DebugConfig, DebugFriendlyConfig } from "./runtime/run/debugConfig";
export { CircuitBreakerState } from "./globals/middleware/circuitBreaker";
export type { BuiltinResourceMiddleware, BuiltinTaskMiddleware } from "./globals/middleware/builtin";
export type {
  CacheMiddlewareConfig,
  CacheOptions,
  CacheResourceConfig,
  CacheState,
  ICacheInstance,
} from "./globals/middleware/cache";
export type {
  CircuitBreakerMiddlewareConfig,
  CircuitBreakers,
  CircuitBreakerStatus,
} from "./globals/middleware/circuitBreaker";
export type { ConcurrencyMiddlewareConfig, ConcurrencyState } from "./globals/middleware/concurrency";
export type { FallbackMiddlewareConfig } from "./globals/middleware/fallback";
export type {
  RateLimitCaller,
  RateLimitMiddlewareConfig,
  RateLimits,
  RateLimitState,
} from "./globals/middleware/rateLimit";
export type { RetryMiddlewareConfig } from "./globals/middleware/retry";
export type {
  DebounceState,
  TemporalMiddlewareConfig,
  TemporalState,
  ThrottleState,
} from "./globals/middleware/temporal";
export type { TaskTimeoutMiddlewareConfig, TimeoutMiddlewareConfig } from "./globals/middleware/timeout";

export { safe } from "./define/safe";

// Errors
export * as Errors from "./errors/index";
export { CancellationError, TunnelError, defineError, normalizeError } from "./errors/index";

// Serving other processes, wherever there is fetch
export type { FetchExposureHandlers } from "./globals/fetch/startFetchExposure";
export { hasFetchContext, useFetchContext, type FetchContextValue } from "./tunnels/fetch/fetchContext";
export type { FetchExposureInfo } from "./tunnels/fetch/fetchCall";
export type {
  FetchExposureConfig,
  FetchExposureDrainConfig,
  FetchExposureHttpConfig,
  FetchExposureLimits,
} from "./tunnels/fetch/fetchConfig";
export type { HttpAuthConfig, HttpToken } from "./tunnels/http/config/auth";
export type { ReplayLimits, SubscriptionLimits } from "./tunnels/protocol/subscriptions";
export type { CallLimits, JsonLimits, MultipartLimits } from "./tunnels/http/config/callLimits";
export type { CorsConfig, CorsOrigin, CorsOriginFunction } from "./tunnels/http/cors";

// Calling other processes
export { assertTaskRouted } from "./tunnels/routing/assertTaskRouted";
export type {
  AuthValidatorInput,
  AuthValidatorResult,
  DriverPolicy,
  ContractLockFile,
  EndpointDiscovery,
  EventDeliveryMode,
  HealthCheckConfig,
  RemoteCallOptions,
  RoutedCallOptions,
  TunnelClient,
  TunnelEventSelector,
  TunnelMiddlewareId,
  TunnelMode,
  TunnelRunner,
  TunnelVerification,
  VerifyMode,
  TunnelTag,
  TunnelTagConfig,
  TunnelTaskMiddlewarePolicyConfig,
  TunnelTaskMiddlewarePolicySideConfig,
  TunnelTaskMiddlewareSidePolicy,
  TunnelTaskRunner,
  TunnelTaskSelector,
} from "./tunnels/routing/tags";
export type { ContextSelection } from "./tunnels/routing/contextSelection";
export type { IdempotentConfig, RepeatOptions } from "./tunnels/routing/idempotency";
export { memoryIdempotencyStore, type MemoryIdempotencyStoreConfig } from "./globals/idempotency/memoryStore";
export type { IdempotencyEntry, IdempotencyStore, IdempotencyTimes } from "./tunnels/routing/idempotencyStore";
export {
  createExposureFetch,
  createHttpClient,
  type ExposureClientConfig,
  type ExposureFetchAuthConfig,
  type ExposureFetchClient,
  type ExposureFetchConfig,
  type HttpClient,
  type HttpClientAuth,
  type HttpClientAuth as HttpClientAuthConfig,
  type HttpClientConfig,
  type HttpClientConfig as HttpCreateClientConfig,
} from "./tunnels/transports/httpClients";
export type { HttpClientFactory, HttpClientFactoryConfig } from "./globals/resources/httpClientFactory";
export type {
  HttpTunnelConfig,
  HttpTunnelTarget,
  MemoryServer,
  MemoryTarget,
  TunnelClientFactory,
} from "./globals/tunnels/tunnelParts";
export type {
  MemoryTargetSource,
  TunnelClientBuilder,
  TunnelClientStarter,
  TunnelEventOptions,
  TypedTunnelClientBuilder,
  TypedTunnelResource,
} from "./globals/tunnels/tunnelClientBuilder";
export type { TunnelResource } from "./globals/tunnels/tunnelParts";
export type { TunnelServerBuilder } from "./globals/tunnels/tunnelServerBuilder";
export type { ExposedEntry, RoutedEntry, SubscribableEntry, Topology } from "./runtime/run/topology";
export type { Propagation } from "./tunnels/transports/layers/propagate";
export type { CallDeadline } from "./define/task";
export type { TraceContext } from "./lib/traceContext";
export type { Traced, TracePhase } from "./platform/tracePoint";
export type { CallTrace, EventTrace, RequestTrace, RunObserver, TaskTrace, TraceEvent } from "./runtime/tracing";
export type { CloseOptions } from "./tunnels/client/carrier";
export type {
  CallOf,
  ClientCallOptions,
  RemoteStreamTask,
  StreamCallOf,
  StreamCallOptions,
} from "./tunnels/client/remoteClient";
export type {
  EventCall,
  EventCalls,
  EventsById,
  NamedTargets,
  TaskCall,
  TaskCalls,
  ItemsOf,
  StreamsById,
  TasksById,
  TypedClient,
} from "./tunnels/client/typedClient";
export type { ProtocolEnvelope } from "./tunnels/protocol/envelope";
export type { DownloadProgress, UploadProgress } from "./tunnels/protocol/wire";
export type { InputFile, InputFileMeta, RunnerFileSentinel } from "./platform/inputFile";
export { Serializer, getDefaultSerializer } from "./serializer/Serializer";
export type { SerializerLike, SerializerOptions, TypeDefinition } from "./serializer/codec";
export type {
  DeserializationContext,
  JsonPrimitive,
  ObjectReference,
  SerializationContext,
  SerializedNode,
  SerializedTypeRecord,
  SerializedValue,
} from "./serializer/graphText";
export { SymbolPolicy, SymbolPolicyErrorMessage } from "./serializer/symbolPolicy";
