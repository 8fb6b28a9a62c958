/** Entry `./node`: everything of `.`, and what needs Node. */
import { globals as universalGlobals } from "../index";
import { httpClientFactory } from "../globals/resources/httpClientFactory";
import { createRun, type Run } from "../run";
import {
  createHttpMixedClient,
  createHttpSmartClient,
  createMixedHttpClient,
  httpClientPresets,
  httpMixedClientFactory,
  httpSmartClientFactory,
} from "./client/clientFactories";

export * from "../index";

/** Boots an application, with the Node built-ins: clients made by factories keep a connection pool. */
export const run: Run = /* @__PURE__ */ createRun(() => ({
  builtins: [httpClientFactory, httpSmartClientFactory, httpMixedClientFactory],
  presets: httpClientPresets,
}));

/** What the framework provides, Node's client factories included. */
export const globals = /* @__PURE__ */ (() => ({
  ...universalGlobals,
  resources: { ...universalGlobals.resources, httpSmartClientFactory, httpMixedClientFactory },
}))();

// Serving
export {
  nodeExposure,
  type NodeExposureDependencyMap,
  type NodeExposureDeps,
  type NodeExposureHandlers,
} from "./exposure/exposureResource";
export {
  hasExposureContext,
  respondStream,
  useExposureContext,
  type ExposureRequestContextValue,
  type NodeReadable,
  type StreamingResponse,
} from "./exposure/exposureContext";
export type {
  NodeExposureConfig,
  NodeExposureHttpAuthConfig,
  NodeExposureHttpCompressionConfig,
  NodeExposureHttpConfig,
  NodeExposureHttpCorsConfig,
} from "./exposure/config/config";
export type { NodeExposureHttpDrainConfig } from "./exposure/config/drain";
export type { ExposureLimits, JsonLimits, MultipartLimits } from "./exposure/config/limits";

// Calling
export { createHttpMixedClient, createHttpSmartClient, createMixedHttpClient };
export type {
  HttpSmartClient,
  HttpSmartClientAuthConfig,
  HttpSmartClientConfig,
  HttpSmartClientFactory,
  HttpSmartClientFactoryConfig,
  MixedHttpClient,
  MixedHttpClientAuthConfig,
  MixedHttpClientConfig,
  MixedHttpClientFactory,
  MixedHttpClientFactoryConfig,
} from "./client/clientFactories";

export type { ClientCompression } from "./client/clientCompression";
export type { Readable } from "node:stream";

// Reverse tunnels
export { tunnelRelay, type TunnelRelay, type TunnelSessionInfo } from "./relay/tunnelRelay";
export type { TunnelRelayAuth, TunnelRelayConfig, TunnelRelayLimits } from "./relay/tunnelRelayConfig";
export {
  tunnelExpose,
  tunnelPull,
  tunnelServe,
  type TunnelExposeOptions,
  type TunnelHandle,
  type TunnelPullOptions,
  type TunnelServeOptions,
} from "./relay/driver/tunnelExpose";
export {
  TunnelSession,
  type TunnelSessionEvents,
  type TunnelSessionOptions,
  type TunnelSessionState,
} from "./relay/driver/tunnelSession";
export { TunnelBindError, TunnelRefusedError } from "./relay/driver/driverErrors";
export {
  createTunnelAdminClient,
  type TunnelAdminClient,
  type TunnelAdminConfig,
  type TunnelBindingInfo,
  type TunnelBindings,
  type TunnelHealth,
  type TunnelOverview,
  type TunnelSessions,
} from "./relay/adminClient";

// Files
export { createNodeFile } from "./files/createNodeFile";
export { readInputFileToBuffer, toPassThrough, writeInputFileToPath } from "./files/nodeFile";
export { NodeInputFile } from "./files/nodeInputFile";
