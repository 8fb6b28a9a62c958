import { isResource, type FrameworkPreset } from "../../define/resource";
import { symbolFramework } from "../../lib/symbols";
import type { Cells } from "../link/cells";
import { presetOf } from "../plan/collect";
import { idOf } from "./idOf";
import { notFound } from "./notFound";
import type { BootPlan } from "../plan/planBoot";
import { registrationsOf } from "../plan/registration";
import type { PresetScope } from "./presets";

/** Values that take the place of a framework resource's own, by id. */
export type PresetOverrides = ReadonlyMap<string, NonNullable<FrameworkPreset["value"]>>;

/** Where the values of framework resources come from. */
export interface PresetValues {
  /** The value of any resource, by definition or id. @throws {Error} no such resource is registered */
  read(resource: unknown): unknown;
  /** Has the registered ones give their values. */
  fill(plan: BootPlan): void;
  /** Calls what was handed to `onEnding`, once. */
  beginEnd(): void;
  /** Calls what was handed to `onDispose`; never rejects. */
  dispose(): Promise<void>;
}

/** Values of framework resources, each made once and when it is first read. */
export function createPresetValues(
  cells: Cells,
  presets: PresetOverrides,
  handles: Omit<PresetScope, "valueOf" | "onEnding" | "onDispose">,
): PresetValues {
  const values = new Map<string, unknown>();
  let endings: (() => void)[] | undefined = [];
  const disposers: (() => Promise<void>)[] = [];
  const scope: PresetScope = {
    ...handles,
    valueOf: (resource) => read(resource) as never,
    onEnding: (begin) => (endings === undefined ? begin() : void endings.push(begin)),
    onDispose: (dispose) => void disposers.push(dispose),
  };

  function compute(id: string, own: FrameworkPreset["value"]): unknown {
    if (!values.has(id)) values.set(id, ((presets.get(id) ?? own) as (scope: PresetScope) => unknown)(scope));
    return values.get(id);
  }

  function read(resource: unknown): unknown {
    const id = idOf(resource, "getResourceValue takes a resource");
    const cell = cells.resources.get(id);
    const definition = cell?.resource ?? (isResource(resource) ? resource : undefined);
    const preset = definition && presetOf(definition);
    if (preset !== undefined) return compute(id, preset);
    if (cell === undefined) throw notFound("Resource", id, cells.resources.keys());
    return cell.value as unknown;
  }

  return {
    read,
    beginEnd() {
      const begun = endings ?? [];
      endings = undefined;
      for (const begin of begun) begin();
    },
    // Failures are logged, so that an application's own is the one that disposing rejects with.
    async dispose() {
      const outcomes = await Promise.allSettled(disposers.map(async (dispose) => dispose()));
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        await handles.logger.error("Something of the framework failed to dispose.", {
          source: "run",
          error: outcome.reason as unknown,
        });
      }
    },
    fill({ registrations }: BootPlan): void {
      registrationsOf(registrations, "resource").forEach(({ id, preset, definition }) => {
        const cell = cells.resources.get(id);
        if (preset === undefined || cell === undefined) return;
        if (definition[symbolFramework]?.atBoot) compute(id, preset);
        // An application uses few of them, so each is made when it is first asked for.
        Object.defineProperty(cell, "value", { get: () => compute(id, preset), enumerable: true });
        cell.isInitialized = true;
      });
    },
  };
}
