import type { RegisterableItems } from "../define/resource";
import { isResource, isResourceWithConfig } from "../define/resource";
import { unknownItemTypeError } from "../errors/bootErrors";
import { getPlatform } from "../platform/platform";
import { applyOverrides } from "./plan/applyOverrides";
import { checkEmissions } from "./plan/checkEmissions";
import { collect } from "./plan/collect";
import { createLifecycle } from "./run/createLifecycle";
import { createRunResult } from "./run/createRunResult";
import { bootCancelled } from "./link/linkAndInit";
import { fromRun } from "./run/fromRun";
import type { ResolvedRunOptions } from "./run/options";
import { checkAttachments, planBoot, type InitFirst } from "./plan/planBoot";
import type { Logger } from "./logger";
import type { PresetOverrides } from "./run/presetValues";
import { createProblems, type Problems } from "./plan/problems";
import type { Registrations } from "./plan/registration";
import type { RunResult } from "./run/runResult";
import type { Store } from "./run/store";
import type { Topology } from "./run/topology";
import { wireRun } from "./run/wireRun";
import type { RunTracing } from "./tracing";

/** What the composition root adds to every run. */
export interface Framework<L extends Logger = Logger> {
  /** Registered before anything of the application. */
  readonly builtins: readonly RegisterableItems[];
  /** Values that take the place of a framework resource's own, by id. */
  readonly presets: PresetOverrides;
  readonly initFirst: InitFirst;
  /** Where tasks and events run, as definitions say it; adds what is wrong with that. Pure. */
  readonly planTopology: (registrations: Registrations, problems: Problems) => Topology;
  /** The same once everything has initialised. */
  readonly readTopology: (store: Store) => Topology;
  readonly createLogger: (options: ResolvedRunOptions["logs"]) => L;
  /** What publishes the calls of the run; absent in bundles without it. */
  readonly tracing: RunTracing | undefined;
}

type Root = RegisterableItems;

/**
 * Compiles definitions into a running application.
 *
 * Stages: collect, override, plan (all pure), link and initialise, seal, ready. Whatever fails after the first effect
 * rolls back what was initialised; the original error wins.
 */
export async function boot<V, L extends Logger>(
  root: Root,
  framework: Framework<L>,
  options: ResolvedRunOptions,
): Promise<RunResult<V, L>> {
  await getPlatform().init?.();
  const logger = framework.createLogger(options.logs);
  const { plan, requests, topology } = planRun(root, framework, options);
  const { presets, tracing } = framework;
  const run = wireRun({ plan, overrideRequests: requests, presets, options, logger, tracing });
  const { start, dispose } = createLifecycle(run);
  if (options.dryRun) {
    await logger.debug("Dry run mode. Skipping initialization...", fromRun);
    await logger.lock();
  } else {
    await start();
  }
  const readTopology = options.dryRun ? () => topology : () => framework.readTopology(run.store);
  return createRunResult(run, { dispose, readTopology }) as RunResult<V, L>;
}

/** The pure stages. @throws the first problem, with all of them under `errors` */
function planRun(root: Root, { builtins, initFirst, planTopology }: Framework, options: ResolvedRunOptions) {
  if (!isResource(root) && !isResourceWithConfig(root)) throw unknownItemTypeError.create({ item: root });
  if (options.signal?.aborted) throw bootCancelled(options.signal.reason);

  const problems = createProblems();
  const overrideProblems = createProblems();
  const collected = collect(root, builtins, problems);
  const { registrations, requests } = applyOverrides(collected, overrideProblems);
  checkAttachments(registrations, problems);
  problems.addAll(overrideProblems);
  const plan = planBoot(registrations, root.id, initFirst, problems);
  checkEmissions(registrations, problems);
  const topology = planTopology(registrations, problems);
  problems.throwIfAny();
  return { plan, requests, topology };
}
