import { createResource } from "../../../define/createResource";
import type { IResource } from "../../../define/resource";
import { symbolFramework } from "../../../lib/symbols";
import { amount, fieldsOf, invalid, milliseconds } from "../../../lib/configFields";
import type { IdempotencyStore } from "../../../tunnels/routing/idempotencyStore";
import type { NatsLink } from "../link";
import { loadNats } from "../loadNats";
import { linkOf, natsConnection, type NatsConnectionHandle } from "../natsConnection";
import { isName, namePatternText } from "../subjects";
import { createKvStore, operationMs, type OpenBucket } from "./kvStore";

/** Configures `natsIdempotencyStore`. */
export interface NatsIdempotencyStoreConfig {
  /** The first part of all subjects: servers that share their replies have the same. The bucket is `rt1_<namespace>_idempotency`. */
  readonly namespace: string;
  /**
   * Longest `ttlMs` of tasks, in ms, where the bucket has to be made: the broker drops what is older. Default 604,800,000: seven
   * days. A bucket that exists is not altered.
   */
  readonly maxTtlMs?: number | undefined;
  /**
   * Largest size of the bucket, in bytes, where it has to be made. A full one refuses new calls with 503, and forgets none.
   * Default: what the broker allows.
   */
  readonly maxBytes?: number | undefined;
  /** On how many servers of a cluster the bucket is kept, where it has to be made: 1 to 5. Default 1. */
  readonly replicas?: number | undefined;
  /** How long calls wait for a broker that is away, in ms; then they are refused with 503. Default 1,000. */
  readonly offlineMs?: number | undefined;
}

const keys: readonly (keyof NatsIdempotencyStoreConfig)[] = [
  "namespace",
  "maxTtlMs",
  "maxBytes",
  "replicas",
  "offlineMs",
];

const weekMs = 604_800_000;

/**
 * Remembers replies of calls with a key in a bucket of NATS, for all servers of the namespace:
 * `globals.tags.idempotent.with({ store: natsIdempotencyStore })`. The run needs `natsConnection`.
 *
 * Needs the packages `@nats-io/kv` and `@nats-io/jetstream`. Rejects the boot when the broker keeps no buckets.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/IDEMPOTENCY.md
 */
export const natsIdempotencyStore: IResource<
  NatsIdempotencyStoreConfig,
  Promise<IdempotencyStore>
> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "globals.resources.natsIdempotencyStore",
      dependencies: { connection: natsConnection },
      configSchema: { parse: checkConfig },
      init: openStore,
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** Checks at `.with(...)`, so that a mistake shows where it was made. */
function checkConfig(config: NatsIdempotencyStoreConfig): NatsIdempotencyStoreConfig {
  resolveConfig(config);
  return config;
}

function resolveConfig(config: NatsIdempotencyStoreConfig) {
  const path = "natsIdempotencyStore";
  const { namespace, maxTtlMs, maxBytes, replicas, offlineMs } = fieldsOf(config, path, keys);
  if (!isName(namespace)) throw invalid(`${path}.namespace`, namePatternText, namespace);
  const copies = amount(replicas, `${path}.replicas`, 1);
  if (copies < 1 || copies > 5) throw invalid(`${path}.replicas`, "1 to 5", replicas);
  return {
    bucket: `rt1_${namespace}_idempotency`,
    maxTtlMs: amount(maxTtlMs, `${path}.maxTtlMs`, weekMs),
    maxBytes: maxBytes === undefined ? -1 : amount(maxBytes, `${path}.maxBytes`, -1),
    replicas: copies,
    offlineMs: milliseconds(offlineMs, `${path}.offlineMs`, 1_000),
  };
}

async function openStore(
  config: NatsIdempotencyStoreConfig,
  { connection }: { readonly connection: NatsConnectionHandle },
): Promise<IdempotencyStore> {
  const resolved = resolveConfig(config);
  const link = linkOf(connection);
  const open = (): Promise<OpenBucket> => openBucket(link, resolved);
  await open();
  return createKvStore({ link, open, offlineMs: resolved.offlineMs });
}

/** Made where it is missing, never altered. */
async function openBucket(link: NatsLink, resolved: ReturnType<typeof resolveConfig>): Promise<OpenBucket> {
  const { bucket, maxTtlMs, maxBytes, replicas } = resolved;
  const [{ Kvm }, { jetstream }] = await Promise.all([loadNats("@nats-io/kv"), loadNats("@nats-io/jetstream")]);
  const kv = await new Kvm(jetstream(link.connection, { timeout: operationMs })).create(bucket, {
    ttl: maxTtlMs,
    max_bytes: maxBytes,
    replicas,
    history: 1,
    // Only the leader knows what was written last.
    allow_direct: false,
  });
  return { kv, maxAgeMs: (await kv.status()).ttl };
}
