import type { Contract } from "./contracts";

/**
 * What may stand in `.tags([...])`, `.middleware([...])` and `.register([...])`.
 *
 * Structural on purpose: the concepts that attach and those that are attached then need not import each other.
 * `$bare` is `[true]` when the item may be used without `.with(config)`, else a sentence for the type error.
 */
export interface TagType extends Contract {
  readonly kind: "tag";
  readonly id: string;
  readonly $bare?: readonly [true];
}

/** What may stand in `.middleware([...])` of a task. */
export interface TaskMiddlewareAttachmentType extends Contract {
  readonly kind: "taskMiddleware";
  readonly id: string;
  readonly $bare?: readonly [true];
}

/** What may stand in `.middleware([...])` of a resource. */
export interface ResourceMiddlewareAttachmentType extends Contract {
  readonly kind: "resourceMiddleware";
  readonly id: string;
  readonly $bare?: readonly [true];
}

/**
 * Anything a resource can register, but a resource with its config. Only resources need their config for that: tags and
 * middleware are registered bare and configured where they are attached.
 */
export interface RegisterableItem {
  readonly kind:
    "task" | "resource" | "event" | "hook" | "tag" | "taskMiddleware" | "resourceMiddleware" | "error" | "asyncContext";
  readonly id: string;
  readonly $registerable?: readonly [true];
}

/** Tags as the lookups of a tag see them. */
export interface TagLike {
  readonly kind: "tag";
  readonly id: string;
}

/** Something that carries tags. */
export interface ITaggable {
  readonly tags?: readonly TagLike[] | undefined;
}

/** Documentation of a definition; open for declaration merging, as every `I...Meta`. */
export interface IMeta {
  title?: string | undefined;
  description?: string | undefined;
}

/** Documentation as it is given: keys of the application's own are allowed, and typed once they are merged into `M`. */
export type GivenMeta<M extends IMeta> = M | (M & Record<string, unknown>);

/** Documentation of tasks and hooks. */
export interface ITaskMeta extends IMeta {}
/** Documentation of resources. */
export interface IResourceMeta extends IMeta {}
/** Documentation of events; emissions carry a copy. */
export interface IEventMeta extends IMeta {}
/** Documentation of middleware. */
export interface IMiddlewareMeta extends IMeta {}
/** Documentation of tags. */
export interface ITagMeta extends IMeta {}
/** Documentation of async contexts. */
export interface IAsyncContextMeta extends IMeta {}
