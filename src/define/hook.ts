import { builderIncompleteError } from "../errors/bootErrors";
import { captureFilePath } from "../lib/filePath";
import type { DependencyMap, InjectedMap } from "../lib/injectable";
import { symbolFilePath, symbolHook } from "../lib/symbols";
import type { With } from "../lib/typeLevel";
import type { ITaskMeta, TagType } from "./attachments";
import { assertDependencies, assertFunction, assertList, assertTarget } from "./assertArguments";
import { assertId, hasBrand } from "./brand";
import { appendTo, mergeDependencies, type DependencySource, type ReplaceOption } from "./builderLists";
import type { CommonPayload, IEvent, IEventEmission } from "./event";

/** What a hook can listen to: one event, several, or `"*"` for all. */
export type ValidOnTarget = "*" | IEvent<any> | readonly IEvent<any>[];
export type OnType = ValidOnTarget;
export type ResolvedOn<T> = T extends ValidOnTarget ? T : any; // `.run` came before `.on`

/** The payload a hook on this target receives. */
export type HookPayload<On> = [On] extends ["*"] ? any : [On] extends [undefined] ? any : CommonPayload<On>; // "*" takes everything

/** A listener with dependencies. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x
export interface IHook<D = any, On = any, M = any> {
  readonly kind: "hook";
  readonly id: string;
  readonly meta: ITaskMeta;
  readonly on: ValidOnTarget | undefined;
  /** Lower runs earlier. Default 0. */
  readonly order: number;
  readonly dependencies: DependencySource;
  readonly tags: readonly TagType[];
  readonly [symbolHook]: true;
  readonly [symbolFilePath]: string;
  run(event: IEventEmission<HookPayload<On>>, dependencies: any): Promise<any>; // typed by the builder
  readonly $on?: readonly [On];
}

/** Type state of a hook builder. */
export interface HookShape {
  on: unknown;
  deps: object;
}

/** Type state of `r.hook(id)`. */
export interface NewHookShape extends HookShape {
  on: undefined;
  deps: {};
}

/** Fluent form of a hook definition; every method returns a new builder. */
export interface HookFluentBuilder<S extends HookShape = NewHookShape> {
  readonly id: string;
  on<const N extends ValidOnTarget>(target: N): HookFluentBuilder<With<S, { on: N }>>;
  /** Lower runs earlier. Default 0. */
  order(order: number): HookFluentBuilder<S>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: { override?: false },
  ): HookFluentBuilder<With<S, { deps: S["deps"] & N }>>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option: { override: true },
  ): HookFluentBuilder<With<S, { deps: N }>>;
  tags(tags: readonly TagType[], option?: ReplaceOption): HookFluentBuilder<S>;
  meta(meta: ITaskMeta): HookFluentBuilder<S>;
  run(
    run: (event: IEventEmission<HookPayload<S["on"]>>, dependencies: InjectedMap<S["deps"]>) => Promise<any>, // ignored
  ): HookFluentBuilder<S>;
  /** @throws {builderIncompleteError} `.on` or `.run` is missing */
  build(): IHook<any, S["on"]>;
}

/** Builder of a hook override: what it listens to stays. */
export interface HookOverrideBuilder<S extends HookShape = NewHookShape> {
  readonly id: string;
  order(order: number): HookOverrideBuilder<S>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: { override?: false },
  ): HookOverrideBuilder<With<S, { deps: S["deps"] & N }>>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option: { override: true },
  ): HookOverrideBuilder<With<S, { deps: N }>>;
  tags(tags: readonly TagType[], option?: ReplaceOption): HookOverrideBuilder<S>;
  meta(meta: ITaskMeta): HookOverrideBuilder<S>;
  run(
    run: (event: IEventEmission<HookPayload<S["on"]>>, dependencies: InjectedMap<S["deps"]>) => Promise<any>, // ignored
  ): HookOverrideBuilder<S>;
  build(): IHook<any, S["on"]>;
}

/** A hook as `hook({ ... })` takes it. */
export interface IHookDefinition<D extends DependencyMap = any, On extends ValidOnTarget = any> {
  readonly id: string;
  readonly on: On;
  readonly order?: number | undefined;
  readonly dependencies?: D | (() => D) | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: ITaskMeta | undefined;
  run(event: IEventEmission<HookPayload<On>>, dependencies: InjectedMap<D>): Promise<any>; // ignored
}

/** Everything a hook is made from, without its types. */
export interface HookDraft {
  readonly id: string;
  readonly on?: ValidOnTarget | undefined;
  readonly order?: number | undefined;
  readonly dependencies?: DependencySource | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: ITaskMeta | undefined;
  readonly run?: IHook["run"] | undefined;
}

export const isHook = (value: unknown): value is IHook => hasBrand(value, symbolHook);

/** Starts a hook. */
export function hookBuilder(id: string): HookFluentBuilder {
  assertId("hook", id);
  return hookBuilderOf({ id }, captureFilePath(hookBuilder));
}

/** Makes a hook from a definition object. */
export function defineHook<D extends DependencyMap = {}, const On extends ValidOnTarget = any, M = any>(
  definition: IHookDefinition<D, On>,
): IHook<D, On, M> {
  assertId("hook", definition.id);
  return createHook(definition, captureFilePath(defineHook)) as IHook<D, On, M>;
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export function hookBuilderOf(draft: HookDraft, filePath: () => string): HookFluentBuilder<any> {
  const at = (patch: Partial<HookDraft>) => hookBuilderOf({ ...draft, ...patch }, filePath);
  return Object.freeze({
    id: draft.id,
    on(on: ValidOnTarget) {
      assertTarget(draft.id, on);
      return at({ on });
    },
    order: (order: number) => at({ order }),
    dependencies(added: DependencySource, option?: ReplaceOption) {
      assertDependencies("Hook", draft.id, added);
      return at({ dependencies: mergeDependencies(draft.dependencies, added, option) });
    },
    tags(tags: readonly TagType[], option?: ReplaceOption) {
      assertList("Hook", draft.id, "tags", tags);
      return at({ tags: appendTo(draft.tags, tags, option) });
    },
    meta: (meta: ITaskMeta) => at({ meta }),
    run(run: IHook["run"]) {
      assertFunction("Hook", draft.id, "run", run);
      return at({ run });
    },
    build() {
      const missingFields = [draft.on === undefined && "on", draft.run === undefined && "run"].filter(
        (field) => field !== false,
      );
      if (missingFields.length > 0) {
        throw builderIncompleteError.create({ type: "hook", builderId: draft.id, missingFields });
      }
      return createHook(draft, filePath);
    },
  }); // the shape exists only for the checker
}

/** @internal */
export function createHook(draft: HookDraft, filePath: () => string): IHook {
  const { id, on, order = 0, dependencies = {}, tags = [], meta = {}, run } = draft;
  return Object.freeze({
    kind: "hook",
    id,
    on,
    order,
    dependencies,
    tags,
    meta,
    run,
    [symbolHook]: true,
    get [symbolFilePath]() {
      return filePath();
    },
  } as IHook);
}
