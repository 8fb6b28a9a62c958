import type { ITaggable } from "../../define/attachments";
import { defineTag, type ITag } from "../../define/tag";
import type { DebugConfig, DebugFriendlyConfig } from "../../runtime/run/debugConfig";
import { alsoBuiltin } from "../lateBuiltins";
import { checkDebugConfig } from "./checkDebugConfig";
import { allFalse, debugLevels } from "./levels";

/** Says for one definition what a run with `debug` logs of it, in place of what the run says. */
export const debugTag: ITag<DebugFriendlyConfig> = /* @__PURE__ */ (() =>
  alsoBuiltin(
    defineTag<DebugFriendlyConfig>({
      id: "globals.tags.debug",
      configSchema: { parse: (config: unknown) => checkDebugConfig(config, "config") },
    }),
  ))();

/**
 * All flags of a level or of some flags; flags that are not given are off.
 *
 * @param taggable a definition, whose own debug tag comes before `config`
 */
export function getConfig(config: DebugFriendlyConfig, taggable?: ITaggable): DebugConfig {
  const own = taggable && debugTag.extract(taggable);
  const given = own ?? config;
  if (typeof given === "string") return debugLevels[given];
  const flags = Object.keys(allFalse) as (keyof DebugConfig)[];
  return Object.freeze(Object.fromEntries(flags.map((flag) => [flag, given[flag] === true]))) as unknown as DebugConfig;
}
