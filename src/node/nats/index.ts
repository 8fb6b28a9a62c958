/** Entry `./nats`: calls and events over a NATS server. */
export { natsConnection, type NatsConnectionHandle } from "./natsConnection";
export type { NatsConnectionConfig, NatsCredentials, NatsTlsOptions } from "./connectionConfig";
export { natsClient, type NatsClientConfig, type NatsConnector } from "./client/natsClient";
export type { NatsContract } from "./client/versions";
export { natsExposure, type NatsExposureHandle } from "./server/natsExposure";
export type {
  NatsAuthConfig,
  NatsDrainConfig,
  NatsExposureConfig,
  NatsExposureLimits,
} from "./server/natsExposureConfig";
export { natsEvents, type NatsEventsHandle } from "./events/natsEvents";
export type { NatsEventsConfig } from "./events/natsEventsConfig";
export type { NatsEventDelivery } from "./events/eventPublisher";
export { natsIdempotencyStore, type NatsIdempotencyStoreConfig } from "./idempotency/natsIdempotencyStore";
