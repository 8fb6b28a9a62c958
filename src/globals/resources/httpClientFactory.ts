import { withFrameworkErrors } from "../../errors/knownErrors";
import { tellIfSlow } from "../../lib/tellIfSlow";
import { createWeakMembers } from "../../lib/weakMembers";
import type { PresetScope } from "../../runtime/run/presets";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import { createHttpClient, type HttpClient, type HttpClientConfig } from "../../tunnels/transports/httpClients";
import { traceCalls } from "../../tunnels/transports/layers/traceCalls";
import { resolveContexts, type ContextSelection } from "../../tunnels/routing/contextSelection";
import { frameworkResource } from "../frameworkResource";
import { serializer } from "./serializer";

/** What a client takes from the run, of what its config says in public. */
type StatedFromRun = Pick<HttpClientConfig, "serializer" | "contexts" | "errorRegistry">;

/** @internal What a client takes from the run. */
type FromRun = StatedFromRun & Pick<HttpClientConfig, "around">;

/** What the caller of a factory says; the rest comes from the run. */
export type FactoryConfig<Config> = Omit<Config, keyof StatedFromRun> & {
  /** Which of the run's async contexts travel with a call. Default "all". */
  readonly contexts?: ContextSelection | undefined;
};

/** Configures a client that a factory makes: serializer, async contexts and error helpers are the run's. */
export interface HttpClientFactoryConfig extends FactoryConfig<HttpClientConfig> {}

/** Makes clients that know what the application registers. They are closed when the run is disposed of. */
export type HttpClientFactory = (config: HttpClientFactoryConfig) => HttpClient;

/**
 * @internal Makes a factory of clients for one run.
 *
 * Clients that were dropped without being closed cost nothing where the engine has weak references.
 */
export function createClientFactory<Config extends object, Client extends RemoteClient>(
  scope: PresetScope,
  create: (config: Config & FromRun) => Client,
): (config: FactoryConfig<Config>) => Client {
  const { store } = scope;
  const { tracing } = store;
  const aroundCalls = tracing && ((baseUrl: string) => [traceCalls(tracing.calls, baseUrl)]);
  const open = createWeakMembers<Client>();
  scope.onDispose(async () => {
    const clients = open.list();
    if (clients.length === 0) return;
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), closeMs);
    let closing = clients.length;
    const closed = clients.map(async (client) => {
      try {
        await client.close({ signal: aborter.signal });
      } finally {
        closing -= 1;
      }
    });
    const outcomes = await tellIfSlow(Promise.allSettled(closed), () => {
      const left = closing === 1 ? "1 client" : `${closing} clients`;
      void scope.logger.info(`Waiting up to ${closeMs / 1000} s for calls under way of ${left}.`, { source: "run" });
    });
    clearTimeout(timer);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  });
  return (config) => {
    const fromRun = {
      serializer: scope.valueOf(serializer),
      contexts: resolveContexts(config.contexts, store.asyncContexts),
      errorRegistry: withFrameworkErrors(store.errors),
      around: aroundCalls,
    };
    const client = create({ ...config, ...fromRun } as unknown as Config & FromRun); // what was omitted is back
    open.add(client);
    return client;
  };
}

/** How long calls under way may hold up the end of a run. */
const closeMs = 10_000;

/** Makes clients that use the run's serializer, async contexts and error helpers. */
export const httpClientFactory = /* @__PURE__ */ frameworkResource<HttpClientFactory>(
  "globals.resources.httpClientFactory",
  { value: (scope) => createClientFactory<HttpClientConfig, HttpClient>(scope, createHttpClient), system: false },
);
