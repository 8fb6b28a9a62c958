import type { RegisterableItems } from "./define/resource";
import { builtins } from "./globals/builtins";
import { debugItems, tracingOf } from "./globals/lateBuiltins";
import { Logger } from "./globals/resources/logger";
import { boot, type Framework } from "./runtime/boot";
import { checkRunOptions } from "./runtime/run/checkRunOptions";
import { resolveRunOptions, type RunOptions } from "./runtime/run/options";
import type { RunResult as RunResultOf } from "./runtime/run/runResult";
import { planTunnels, readTopology } from "./tunnels/routing/planTunnels";
import { isTunnelResource } from "./tunnels/routing/tunnelResource";

/** A running application. */
export type RunResult<V = any> = RunResultOf<V, Logger>;

/** A resource that can be run as it stands: its config is given, or it needs none. */
export interface RunnableRoot<V extends Promise<any>, C = any> {
  readonly kind: "resource" | "resourceWithConfig";
  readonly id: string;
  readonly $registerable?: readonly [true];
  readonly $value?: readonly [C, V];
}

/**
 * Boots an application from its root resource.
 *
 * @throws the first problem found before anything was initialised, with all of them under `errors`; or the error that
 * an `init` failed with, after what was initialised has been disposed of
 * @throws {TypeError} (as a rejection) there is no such option, or it cannot have that value
 * @see readmes/FULL_GUIDE.md
 */
export type Run = <C, V extends Promise<any>>(
  root: RunnableRoot<V, C>,
  options?: RunOptions,
) => Promise<RunResult<Awaited<V>>>;

/** What an entry adds to the framework. */
export interface RunAdditions {
  readonly builtins: readonly RegisterableItems[];
  readonly presets: Framework["presets"];
  /** What publishes the calls of a run. Default: what comes with `observer`. */
  readonly tracing?: ((observe: RunOptions["observe"]) => Framework["tracing"]) | undefined;
}

/** Makes the `run` of an entry; the additions are read when something is run, so importing costs nothing. */
export function createRun(additions?: () => RunAdditions): Run {
  return async <C, V extends Promise<any>>(root: RunnableRoot<V, C>, options?: RunOptions) => {
    checkRunOptions(options);
    const added = additions?.();
    return boot<Awaited<V>, Logger>(
      root as RegisterableItems,
      {
        builtins: [...builtins(), ...(added?.builtins ?? []), ...debugItems(options?.debug)],
        presets: added?.presets ?? new Map(),
        initFirst: ({ definition }) => isTunnelResource(definition),
        planTopology: planTunnels,
        readTopology,
        createLogger: (logs) => new Logger(logs),
        tracing: (added?.tracing ?? tracingOf)(options?.observe),
      },
      resolveRunOptions(options),
    );
  };
}

/** Boots an application from its root resource. @see {@link Run} */
export const run: Run = /* @__PURE__ */ createRun();
