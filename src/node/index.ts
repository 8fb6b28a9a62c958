/** Entry `./node`: everything of `.`, and what needs Node. */
import { globals as universalGlobals } from "../late";
import { publishClientCalls } from "../globals/tracing/publishCalls";
import { createRunTracing } from "../globals/tracing/runTracing";
import { httpClientFactory } from "../globals/resources/httpClientFactory";
import { readCallFacts } from "../lib/readCallFacts";
import { createRun, type Run } from "../run";
import {
  createHttpMixedClient,
  createHttpSmartClient,
  createMixedHttpClient,
  httpClientPresets,
  httpMixedClientFactory,
  httpSmartClientFactory,
} from "./client/clientFactories";
import { unsharedStores } from "./client/unsharedStores";
import { tunnelGate } from "./relay/gates/gateContract";
import { tunnelGates } from "./relay/gates/tunnelGates";
import { tunnelHook } from "./relay/hooks/hookContract";
import { tunnelHooks } from "./relay/hooks/tunnelHooks";
import { tunnelRequest } from "./relay/log/requestEvent";

export * from "../late";

const relayTags = { tunnelGate, tunnelHook };
const relayEvents = { tunnelRequest };

/** Boots an application, with the Node built-ins: clients made by factories keep a connection pool. */
export const run: Run = /* @__PURE__ */ (() => {
  publishClientCalls();
  readCallFacts();
  return createRun(() => ({
    builtins: [
      httpClientFactory,
      httpSmartClientFactory,
      httpMixedClientFactory,
      unsharedStores,
      ...Object.values(relayTags),
      ...Object.values(relayEvents),
    ],
    presets: httpClientPresets,
    tracing: createRunTracing,
  }));
})();

/** What the framework provides, with what needs Node: more client factories, and gates, hooks and events of relays. */
export const globals = /* @__PURE__ */ (() => ({
  ...universalGlobals,
  resources: { ...universalGlobals.resources, httpSmartClientFactory, httpMixedClientFactory },
  events: { ...universalGlobals.events, ...relayEvents },
  tags: { ...universalGlobals.tags, ...relayTags },
  tunnelGates,
  tunnelHooks,
}))();

// Serving
export { nodeExposure, type NodeExposureDependencyMap } from "./exposure/exposureResource";
export type { NodeExposureDeps, NodeExposureHandlers } from "./exposure/startExposure";
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
  NodeExposureHttpCompressionConfig,
  NodeExposureHttpConfig,
  NodeExposureHttpCorsConfig,
} from "./exposure/config/config";
export type {
  HttpAuthConfig as NodeExposureHttpAuthConfig,
  HttpToken as NodeExposureHttpToken,
} from "../tunnels/http/config/auth";
export type { NodeExposureHttpDrainConfig } from "./exposure/config/drain";
export type { StreamLimits } from "../tunnels/protocol/items";
export type { ExposureLimits } from "./exposure/config/limits";
export type { JsonLimits, MultipartLimits } from "../tunnels/http/config/callLimits";

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

export type { EndpointList } from "./client/clientOver";
export type { ChooseEndpoint, PooledCall } from "../tunnels/pool/balance";
export type { EjectRules, EndpointInfo, EndpointState } from "../tunnels/pool/endpointStates";
export type { EndpointProbe, EndpointsConfig, OverEndpoints } from "../tunnels/pool/poolConfig";
export type { ClientCompression } from "./client/clientCompression";
export type { Readable } from "node:stream";

// Reverse tunnels
export { tunnelRelay } from "./relay/tunnelRelay";
export type { TunnelRelay, TunnelSessionInfo } from "./relay/startRelay";
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
  type TunnelRequestQuery,
  type TunnelRequests,
  type TunnelSessions,
} from "./relay/adminClient";
export { hashTunnelPassword } from "./relay/gates/passwordHash";
export type {
  BuiltinTunnelGate,
  TunnelGate,
  TunnelGateGroups,
  TunnelGateInput,
  TunnelGateResult,
} from "./relay/gates/gateContract";
export type { TunnelGateMaker } from "./relay/gates/tunnelGates";
export type { IpGateConfig } from "./relay/gates/ip";
export type { JwtGateConfig } from "./relay/gates/jwt";
export type { PasswordGateConfig } from "./relay/gates/password";
export type { TokenGateConfig } from "./relay/gates/token";
export type {
  BuiltinTunnelHook,
  TunnelBodyTransform,
  TunnelHeaders,
  TunnelHookOutcome,
  TunnelHookScope,
  TunnelHookTag,
  TunnelRequestContext,
  TunnelRequestHookConfig,
  TunnelResponseContext,
  TunnelResponseHookConfig,
} from "./relay/hooks/hookContract";
export type { TunnelHookMaker } from "./relay/hooks/tunnelHooks";
export type { InjectFaultsHookConfig } from "./relay/hooks/injectFaults";
export type { RateLimitHookConfig } from "./relay/hooks/rateLimit";
export type { RedactHookConfig } from "./relay/hooks/redact";
export type { ReplaceBodyHookConfig } from "./relay/hooks/replaceBody";
export type { StripHeadersHookConfig } from "./relay/hooks/stripHeaders";
export type { TunnelRequestPayload, TunnelRequestRow } from "./relay/log/requestEvent";
export type { TunnelVisitor } from "./relay/visitor";

// Files
export { createNodeFile } from "./files/createNodeFile";
export { readInputFileToBuffer, toPassThrough, writeInputFileToPath } from "./files/nodeFile";
export { NodeInputFile } from "./files/nodeInputFile";
