import type { ITaggable } from "../../define/attachments";
import { defineResource } from "../../define/createResource";
import { symbolFramework } from "../../lib/symbols";
import type { DebugConfig, DebugFriendlyConfig } from "../../runtime/run/debugConfig";
import { frameworkResource } from "../frameworkResource";
import type { ILogInfo, Logger } from "../resources/logger";
import { globalTags } from "../tags";
import { getConfig } from "./debugTag";

/** What the run logs of everything that does not say otherwise by its tag. */
export const debugConfig = /* @__PURE__ */ (() =>
  defineResource({
    id: "globals.debug.resources.config",
    tags: [globalTags.system],
    init: async (config: DebugFriendlyConfig): Promise<DebugConfig> => getConfig(config),
  }))();

/**
 * The run's own logger, whatever `globals.resources.logger` is overridden by: an override may depend on resources of the
 * application, and those wait for what logs their initialisation.
 */
export const debugLogger = /* @__PURE__ */ frameworkResource<Logger>("globals.debug.resources.logger", {
  value: (scope) => scope.logger as Logger,
  injectFor: (logger, source) => logger.with({ source }),
});

/** Whether it is a part of the framework, which is not logged. */
export const isOfFramework = (item: ITaggable): boolean => globalTags.system.exists(item) || symbolFramework in item;

/** One log; `false` where its flag is off. */
type Line = readonly [message: string, info?: ILogInfo] | false;

/** What is logged before and after something. */
export interface Lines<V> {
  readonly before: Line;
  readonly after: (elapsedMs: number, value: V) => Line;
  readonly failed: (elapsedMs: number, error: unknown) => Line;
}

/** Runs something between its lines, and passes on what becomes of it. */
export async function logAround<V>(logger: Logger, lines: Lines<V>, run: () => Promise<V>): Promise<V> {
  await write(logger, lines.before);
  const startedAt = performance.now();
  const elapsed = (): number => Math.round(performance.now() - startedAt);
  let value: V;
  try {
    value = await run();
  } catch (error) {
    await write(logger, lines.failed(elapsed(), error));
    throw error;
  }
  await write(logger, lines.after(elapsed(), value));
  return value;
}

/** Awaited, so that lines stand in the order of what they tell, also where a listener of the logger takes its time. */
export async function write(logger: Logger, line: Line): Promise<void> {
  if (line !== false) await logger.info(...line);
}
