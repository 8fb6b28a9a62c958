import { fetchExposure, r, run, Serializer } from "@bluelibs/runner";
import { defineTask } from "@bluelibs/runner/defs";
import { createHttpClient } from "@bluelibs/runner/edge";
import { defineError, TunnelError } from "@bluelibs/runner/errors";
import { natsClient, natsExposure } from "@bluelibs/runner/nats";
import { nodeExposure, tunnelRelay } from "@bluelibs/runner/node";
import { otelTracing } from "@bluelibs/runner/otel";
import { createFile } from "@bluelibs/runner/platform/createFile";

/** Something of every entry, with options that are nested and optional. */
export const entries = [
  fetchExposure.with({ http: { contract: "schemas", openapi: "/openapi.json", limits: { streams: { open: 10 } } } }),
  nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "s" }, limits: { subscriptions: { drainMs: 1 } } } }),
  tunnelRelay,
  natsExposure,
  otelTracing,
] as const;
export const made = [
  r,
  run,
  Serializer,
  defineTask,
  createHttpClient,
  TunnelError,
  defineError,
  natsClient,
  createFile,
];
