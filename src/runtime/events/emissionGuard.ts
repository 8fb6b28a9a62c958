import { eventCycleError, type EmissionFrame } from "../../errors/runErrors";
import type { IEventEmission } from "../../define/event";
import type { TrackedScope } from "../../platform/trackedScope";
import type { Listener } from "./emission";

/** One emission on the current async chain, and the hook of it that is running. */
export interface GuardFrame extends EmissionFrame {
  readonly hookId?: string | undefined;
}

/** Refuses an emission that would come round to itself for ever. */
export interface EmissionGuard {
  /** @throws {eventCycleError} (as a rejection) the event is being emitted on this async chain */
  emit<R>(emission: IEventEmission, deliver: () => Promise<R>): Promise<R>;
  /** The same listener, known to the guard while it runs. */
  listener(listener: Listener): Listener;
}

export function createEmissionGuard(scope: TrackedScope<GuardFrame>): EmissionGuard {
  return {
    emit({ id, source }, deliver) {
      const outer = scope.frames();
      const frame: GuardFrame = { id, source };
      const first = outer.findLastIndex((each) => each.id === id);
      if (first !== -1 && !isReemission(outer, frame)) {
        const path = [...outer.slice(0, first + 1).reverse(), frame].filter(isEmission).map(toPathEntry);
        return Promise.reject(eventCycleError.create({ path }));
      }
      return scope.run(frame, deliver);
    },
    listener: (listener) => ({
      ...listener,
      run: (emission, callScope) =>
        scope.run({ id: emission.id, source: emission.source, hookId: listener.id ?? "" }, async () =>
          listener.run(emission, callScope),
        ),
    }),
  };
}

/**
 * A hook may emit the event it handles once more: it reaches the others, and not itself. Once, because two such hooks
 * would hand the event to each other for ever.
 */
function isReemission(outer: readonly GuardFrame[], { id, source }: GuardFrame): boolean {
  const [top] = outer;
  if (top === undefined || top.id !== id || top.hookId !== source) return false;
  return !outer.some((each) => each.id === id && each.source === source);
}

/** Frames of running hooks repeat the emission they belong to. */
const isEmission = ({ hookId }: GuardFrame): boolean => hookId === undefined;
const toPathEntry = ({ id, source }: GuardFrame): EmissionFrame => ({ id, source });
