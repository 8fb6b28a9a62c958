import { tellIfSlow } from "../../lib/tellIfSlow";
import type { PresetScope } from "../../runtime/run/presets";
import type { RemoteClient } from "../../tunnels/client/createTunnelClient";
import { createHttpClient, type HttpClient, type HttpClientConfig } from "../../tunnels/transports/httpClients";
import { frameworkResource } from "../frameworkResource";
import { serializer } from "./handles";

/** What a client takes from the run. */
type FromRun = Pick<HttpClientConfig, "serializer" | "contexts" | "errorRegistry">;

/** What the caller of a factory says; the rest comes from the run. */
export type FactoryConfig<Config> = Omit<Config, keyof FromRun>;

/** Configures a client that a factory makes: serializer, async contexts and error helpers are the run's. */
export interface HttpClientFactoryConfig extends FactoryConfig<HttpClientConfig> {}

/** Makes clients that know what the application registers. They are closed when the run is disposed of. */
export type HttpClientFactory = (config: HttpClientFactoryConfig) => HttpClient;

/**
 * Makes a factory of clients for one run.
 *
 * Clients that were dropped without being closed cost nothing: only a weak reference is kept.
 */
export function createClientFactory<Config extends object, Client extends RemoteClient>(
  scope: PresetScope,
  create: (config: Config & FromRun) => Client,
): (config: Config) => Client {
  const { store } = scope;
  const open = new Set<WeakRef<Client>>();
  const dropped = new FinalizationRegistry<WeakRef<Client>>((reference) => open.delete(reference));
  scope.onDispose(async () => {
    const signal = AbortSignal.timeout(closeMs);
    let closing = open.size;
    const closed = [...open].map(async (reference) => {
      try {
        await reference.deref()?.close({ signal });
      } finally {
        closing -= 1;
      }
    });
    const outcomes = await tellIfSlow(Promise.allSettled(closed), () => {
      const clients = closing === 1 ? "1 client" : `${closing} clients`;
      void scope.logger.info(`Waiting up to ${closeMs / 1000} s for calls under way of ${clients}.`, { source: "run" });
    });
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  });
  return (config) => {
    const fromRun = {
      serializer: scope.valueOf(serializer),
      contexts: [...store.asyncContexts.values()],
      errorRegistry: store.errors,
    };
    const client = create({ ...config, ...fromRun });
    const reference = new WeakRef(client);
    open.add(reference);
    dropped.register(client, reference);
    return client;
  };
}

/** How long calls under way may hold up the end of a run. */
const closeMs = 10_000;

/** Makes clients that use the run's serializer, async contexts and error helpers. */
export const httpClientFactory = /* @__PURE__ */ frameworkResource<HttpClientFactory>(
  "globals.resources.httpClientFactory",
  { value: (scope) => createClientFactory(scope, createHttpClient) },
);
