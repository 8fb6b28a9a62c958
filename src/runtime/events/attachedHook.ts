import type { IEventEmission } from "../../define/event";
import type { IHook } from "../../define/hook";
import type { CallScope } from "../callScope";
import type { Listener } from "./emission";

/** Wraps the hooks that an emission runs: calls `next` to go on. */
export type HookExecutionInterceptor = (
  next: (hook: IHook, emission: IEventEmission) => Promise<any>, // whatever a hook returns
  hook: IHook,
  emission: IEventEmission,
) => Promise<any>; // whatever a hook returns

/** @internal A hook with the ids it listens to. */
export interface AttachedHook {
  readonly hook: IHook;
  readonly eventIds: "*" | readonly string[];
  /** Runs the hook with its dependencies, once they are there. */
  readonly listen: (hook: IHook, emission: IEventEmission, scope: CallScope | undefined) => unknown;
  /** The same without a look at how far the dependencies are; `undefined` while they are not there. */
  readonly bake: () => Listener["run"] | undefined;
}
