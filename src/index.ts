/** Entry `.`: everything that runs anywhere. */

// Building
export { r } from "./define/r";
export { defineTask, defineTask as task } from "./define/task";
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
} from "./define/middleware";
export { defineTag, defineTag as tag } from "./define/tag";
export { defineOverride, defineOverride as override } from "./define/override";
export { createContext, defineAsyncContext, defineAsyncContext as asyncContext } from "./define/asyncContext";
export { journal } from "./define/journal";
export * as definitions from "./definitions";
export * from "./definitions";

// Running
export { run, type Run, type RunResult, type RunnableRoot } from "./run";
export { createTestResource, type TestFacade } from "./testing";
export { EventManager } from "./runtime/eventManager";
export { Queue } from "./runtime/queue";
export { Semaphore } from "./lib/semaphore";
export { Logger } from "./globals/resources/logger";
export {
  bindProcessErrorHandler,
  createDefaultUnhandledError,
  safeReportUnhandledError,
} from "./runtime/unhandledErrors";
export { PlatformAdapter, setPlatform, type IPlatformAdapter } from "./platform/platform";
export { globals } from "./globals/index";

// Errors
export * as Errors from "./errors/index";
export { CancellationError, TunnelError, defineError, normalizeError } from "./errors/index";

// Calling other processes
export type { TunnelRunner } from "./tunnels/routing/tags";
export { assertTaskRouted } from "./tunnels/routing/assertTaskRouted";
export { createExposureFetch, createHttpClient } from "./tunnels/transports/httpClients";
export { Serializer, getDefaultSerializer } from "./serializer/Serializer";
