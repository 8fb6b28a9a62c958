import type { TagLike } from "../../define/attachments";
import type { IResource } from "../../define/resource";
import { defineTag, type ITag } from "../../define/tag";
import type { IdempotencyStore } from "./idempotencyStore";

/** How calls of a task are kept from running twice. All optional. */
export interface IdempotentConfig {
  /**
   * The key of a call, from its input: 1 to 200 visible ASCII characters. Calls with the same key run once, and ranks above a
   * key that the caller gives. Default: the caller's key, if any.
   */
  readonly key?: ((input: any) => string) | undefined; // the input is the task's
  /** How long a reply is remembered, in ms. Default 86,400,000: a day. */
  readonly ttlMs?: number | undefined;
  /**
   * How long a key is held without a sign of life of its server, in ms; it is renewed at a third of that. Then the server is taken
   * for lost, and the next call gets the key. Default 15,000.
   */
  readonly leaseMs?: number | undefined;
  /** What remembers replies, or the resource whose value it is. Default: the memory of this run. */
  readonly store?: IdempotencyStore | IResource<any, Promise<IdempotencyStore>> | undefined; // whatever its config
}

const tagId = "globals.tags.idempotent";

/**
 * Marks a task that may be called twice for one call without harm: a call of which no reply came is then repeated. With a key its
 * calls run once.
 *
 * @see readmes/IDEMPOTENCY.md
 */
export const idempotent: ITag<IdempotentConfig> = /* @__PURE__ */ defineTag({
  id: tagId,
  configSchema: { parse: checkIdempotent },
});

/** @throws {TypeError} a field cannot be meant */
function checkIdempotent(config: IdempotentConfig): IdempotentConfig {
  const { key, ttlMs, leaseMs, store } = config ?? {};
  if (key !== undefined && typeof key !== "function") throw new TypeError("key must be a function of the input.");
  for (const [name, ms] of Object.entries({ ttlMs, leaseMs })) {
    if (ms === undefined || (typeof ms === "number" && ms >= 1)) continue;
    throw new TypeError(`${name} must be a number of milliseconds, 1 or more.`);
  }
  if (store !== undefined && (typeof store !== "object" || store === null)) {
    throw new TypeError("store must be an IdempotencyStore, or a resource whose value is one.");
  }
  return config;
}

/** What a call says of its repetition. */
export interface RepeatOptions {
  /** Has the call happen once, however often it is made with this key: 1 to 200 visible ASCII characters. */
  readonly idempotencyKey?: string | undefined;
  /** Whether it may be made again when no reply came, because the task may run twice for one call without harm. */
  readonly isRepeatable?: boolean | undefined;
}

/** What stands in for the tag where a task is known by its id alone: it may be repeated, or has a key made of its input. */
export type IdempotentMark = true | Pick<IdempotentConfig, "key">;

/** The tag, by what matters of it on the side of callers: that of all its own would come with what makes tags. */
export const idempotentTag = (mark: IdempotentMark): TagLike & { readonly config: IdempotentConfig } => ({
  kind: "tag",
  id: tagId,
  config: mark === true ? {} : mark,
});

/** Adds to the options of a call what the definition of its task says. @returns the options as they are where it says nothing */
export function withRepeats<O extends RepeatOptions>(
  { tags = [] }: { readonly tags?: readonly TagLike[] },
  input: unknown,
  options: O | undefined,
): O | RepeatOptions | undefined {
  // By its id, so that clients of pages do not bring along what makes tags.
  const tag = tags.find(({ id }) => id === tagId) as (TagLike & { readonly config?: IdempotentConfig }) | undefined;
  if (tag === undefined) return options;
  return { ...options, isRepeatable: true, idempotencyKey: tag.config?.key?.(input) ?? options?.idempotencyKey };
}
