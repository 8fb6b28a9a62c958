import type { IEventMeta, TagType } from "../../define/attachments";
import type { IEvent, IEventEmission } from "../../define/event";
import { noEntries } from "../../lib/nothing";
import type { CallScope } from "../callScope";

/**
 * One occurrence of an event. All fields are own and enumerable, because interceptors spread emissions;
 * meta and tags are copies, so listeners cannot change the definition.
 */
export class Emission implements IEventEmission<unknown> {
  readonly id: string;
  data: unknown;
  readonly timestamp = new Date();
  readonly source: string;
  readonly meta: IEventMeta;
  readonly stopPropagation: () => void;
  readonly isPropagationStopped: () => boolean;
  readonly tags: TagType[];
  readonly #scope: CallScope | undefined;

  constructor({ id, meta, tags }: IEvent, data: unknown, source: string, scope?: CallScope) {
    let stopped = false;
    this.#scope = scope;
    this.id = id;
    this.data = data;
    this.source = source;
    this.meta = meta === noEntries ? {} : { ...meta }; // most have none, and a literal is made faster than a copy
    this.stopPropagation = () => {
      stopped = true;
    };
    this.isPropagationStopped = () => stopped;
    this.tags = tags.length === 0 ? [] : [...tags];
  }

  get signal(): AbortSignal | undefined {
    return this.#scope?.signal;
  }
}

/** A listener, ready to be called. */
export interface Listener {
  /** Id of the hook, or what `addListener` was given. */
  readonly id: string | undefined;
  readonly isHook?: boolean;
  readonly order: number;
  readonly filter: ((emission: IEventEmission) => boolean) | undefined;
  readonly run: (emission: IEventEmission, scope?: CallScope) => unknown;
}
