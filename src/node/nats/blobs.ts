import { randomUUID } from "node:crypto";
import { payloadTooLarge } from "../../errors/wireErrors";
import { asking } from "./brokerErrors";
import type { NatsLink } from "./link";
import { loadNats } from "./loadNats";

/** Bodies that are too large for a message, kept in a bucket until their call has settled. */
export interface Blobs {
  /** @returns the name it is kept under */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws {WireFailure} (as a rejection) 413, it is larger than the limit; 400, it is not there */
  get(name: string, limitBytes: number): Promise<Uint8Array>;
  /** Never rejects: what is left over goes with its time. */
  delete(name: string): Promise<void>;
}

/** How long a bucket keeps what was not deleted, in ms. */
export const blobTtlMs = 600_000;

const bucketOf = (namespace: string): string => `rt1_${namespace}_blobs`;

/** The bucket of a namespace, made when it is first needed. */
export function createBlobs(link: NatsLink, namespace: string): Blobs {
  let opening: ReturnType<typeof openBucket> | undefined;
  const bucket = (): ReturnType<typeof openBucket> => {
    opening ??= openBucket(link, bucketOf(namespace));
    opening.catch(() => (opening = undefined));
    return opening;
  };
  return {
    put: (bytes) =>
      asking(async () => {
        const name = randomUUID();
        await (await bucket()).putBlob({ name }, bytes);
        return name;
      }),
    get: (name, limitBytes) => asking(() => get(name, limitBytes)),
    async delete(name) {
      try {
        await (await bucket()).delete(name);
      } catch {
        // Its time ends it.
      }
    },
  };

  async function get(name: string, limitBytes: number): Promise<Uint8Array> {
    const store = await bucket();
    const info = await store.info(name);
    if (info === null || info.deleted) throw payloadTooLarge("The body is not in the bucket of the namespace");
    if (info.size > limitBytes) throw payloadTooLarge();
    const bytes = await store.getBlob(name);
    if (bytes === null) throw payloadTooLarge("The body is not in the bucket of the namespace");
    return bytes;
  }
}

async function openBucket(link: NatsLink, name: string) {
  const { Objm } = await loadNats("@nats-io/obj");
  const manager = new Objm(link.connection);
  try {
    return await manager.open(name);
  } catch {
    // In nanoseconds, as the broker counts.
    return manager.create(name, { ttl: blobTtlMs * 1_000_000 });
  }
}
