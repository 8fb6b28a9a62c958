import { builderIncompleteError } from "../errors/bootErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { noEntries, noItems } from "../lib/nothing";
import type { DependencyMap, Injected, InjectedMap, InjectedOf, Listed, ReceivedBy, Unbuilt } from "../lib/injectable";
import { symbolFilePath, symbolHook } from "../lib/symbols";
import type { Unaliased } from "../lib/typeLevel";
import type { GivenMeta, ITaskMeta, TagType } from "./attachments";
import { assertDependencies, assertFunction, assertList, assertTarget } from "./assertArguments";
import { assertId, hasBrand } from "./brand";
import {
  appendTo,
  mergeDependencies,
  type DependencySource,
  type ListedDependencies,
  type ReplaceOption,
} from "./builderLists";
import type { CommonPayload, EventReference, IEvent, IEventEmission } from "./event";

/** What a hook can listen to: one event, several, or `"*"` for all. */
export type ValidOnTarget = "*" | EventReference | readonly EventReference[];
/** What a hook says it listens to. */
export type OnType = "*" | IEvent<any> | IEvent<any>[];
/** What a hook listens to, as its body sees it. */
export type ResolvedOn<T> = T extends ValidOnTarget ? T : any; // `.run` came before `.on`

/** The payload a hook on this target receives. */
export type HookPayload<On> = [On] extends ["*"] ? any : [On] extends [undefined] ? any : CommonPayload<On>; // "*" takes everything

/** A listener with dependencies: `On` is what it listens to, `D` what its body receives, as in `Task`. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- see `Task`
export interface Hook<On, D> {
  readonly kind: "hook";
  readonly id: string;
  readonly meta: ITaskMeta;
  /** What it listens to. */
  readonly on: On extends ValidOnTarget ? On : OnType;
  /** Lower runs earlier. Default 0. */
  readonly order: number;
  readonly dependencies: ListedDependencies;
  readonly tags: TagType[];
  readonly [symbolHook]: true;
  readonly [symbolFilePath]: string;
  run(event: IEventEmission<HookPayload<On>>, dependencies: any): Promise<any>; // typed by the builder
  readonly $on?: readonly [On];
  readonly $injectable?: readonly ["a hook has no value to depend on"];
}

/** A hook, with the type parameters of 5.x. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x
export type IHook<D = {}, On = any, M = any> = Unaliased<Hook<On, InjectedOf<D>>>; // any target

/** The body of a hook; a sentence until `.on` says what it listens to. */
type HookBody<On, D> = [On] extends [undefined]
  ? "call .on(event) before .run(...): it gives the event its type"
  : (event: IEventEmission<HookPayload<On>>, dependencies: D) => Promise<any>; // what it resolves to is ignored

/** Fluent form of a hook definition: what it listens to is given by `.on`. Every method returns a new builder. */
export interface HookBuilder<On, D extends object> extends Unbuilt {
  readonly id: string;
  /** What it listens to: an event, several, or `"*"` for all. */
  on<const N extends ValidOnTarget>(target: N): HookBuilder<N, D>;
  /** Lower runs earlier. Default 0. */
  order(order: number): HookBuilder<On, D>;
  /** Adds dependencies; later keys win. `{ override: true }` replaces them. */
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: { override?: false },
  ): HookBuilder<On, D & { [K in keyof N]: Injected<N[K]> }>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option: { override: true },
  ): HookBuilder<On, { [K in keyof N]: Injected<N[K]> }>;
  /** Adds tags; `{ override: true }` replaces them. */
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): HookBuilder<On, D>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITaskMeta>(meta: M): HookBuilder<On, D>;
  /** The body; what it resolves to is ignored. */
  run(run: HookBody<On, D>): HookBuilder<On, D>;
  /** @throws {builderIncompleteError} `.on` or `.run` is missing */
  build(): Hook<On, D>;
}

/** Builder of a hook override: what it listens to stays. */
export interface HookOverride<On, D extends object> extends Unbuilt {
  readonly id: string;
  /** Lower runs earlier. Default 0. */
  order(order: number): HookOverride<On, D>;
  /** Adds dependencies; later keys win. `{ override: true }` replaces them. */
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: { override?: false },
  ): HookOverride<On, D & { [K in keyof N]: Injected<N[K]> }>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option: { override: true },
  ): HookOverride<On, { [K in keyof N]: Injected<N[K]> }>;
  /** Adds tags; `{ override: true }` replaces them. */
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): HookOverride<On, D>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITaskMeta>(meta: M): HookOverride<On, D>;
  /** The body; what it resolves to is ignored. */
  run(
    run: (event: IEventEmission<HookPayload<On>>, dependencies: D) => Promise<any>, // ignored
  ): HookOverride<On, D>;
  /** Gives the finished definition, which is frozen. */
  build(): Hook<On, D>;
}

/** A hook as `hook({ ... })` takes it: `D` are its dependencies as listed, `Deps` as received. */
export interface HookDefinition<D, Deps, On extends ValidOnTarget, Id extends string = string> {
  readonly id: Id;
  /** What it listens to: an event, several, or `"*"` for all. */
  readonly on: On;
  /** Lower runs earlier. Default 0. */
  readonly order?: number | undefined;
  readonly dependencies?: Listed<D> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: GivenMeta<ITaskMeta> | undefined;
  run(event: IEventEmission<HookPayload<On>>, dependencies: Deps): Promise<any>; // ignored
}

/** Everything a hook is made from, without its types. */
export interface HookDraft {
  readonly id: string;
  readonly on?: ValidOnTarget | undefined;
  readonly order?: number | undefined;
  readonly dependencies?: DependencySource | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: GivenMeta<ITaskMeta> | undefined;
  readonly run?: IHook["run"] | undefined;
}

export const isHook = (value: unknown): value is IHook => hasBrand(value, symbolHook);

/** A hook builder that knows nothing but its id. */
export type NewHookBuilder = HookBuilder<undefined, {}>;

/** Starts a hook. */
export function hookBuilder(id: string): NewHookBuilder {
  assertId("hook", id);
  return hookBuilderOf({ id }, captureFilePath(hookBuilder));
}

/** Makes a hook from a definition object. */
export function defineHook<
  D extends DependencyMap = never,
  const On extends ValidOnTarget = any, // any target, until inferred
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with type arguments of 5.x
  M = any,
  Id extends string = any,
>(
  definition: HookDefinition<D, ReceivedBy<D, Id, InjectedMap<D>>, On, Id>,
): Hook<On, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("hook", definition.id);
  return createHook(definition, captureFilePath(defineHook)) as Hook<On, any>; // as received
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export function hookBuilderOf(draft: HookDraft, filePath: FilePath): NewHookBuilder {
  const at = (patch: Partial<HookDraft>) => hookBuilderOf({ ...draft, ...patch }, filePath);
  const builder: unknown = Object.freeze({
    id: draft.id,
    on(on: ValidOnTarget) {
      assertTarget(draft.id, on);
      return at({ on });
    },
    order: (order: number) => at({ order }),
    dependencies(added: DependencySource, option?: ReplaceOption) {
      assertDependencies("Hook", draft.id, added);
      return at({ dependencies: mergeDependencies(draft, added, option) });
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
  });
  return builder as NewHookBuilder; // the types exist only for the checker
}

/** @internal */
export function createHook(draft: HookDraft, filePath: FilePath): IHook {
  const { id, on, order = 0, dependencies = noEntries, tags = noItems, meta = noEntries, run } = draft;
  const definition = {
    kind: "hook",
    id,
    on,
    order,
    dependencies,
    tags,
    meta,
    run,
    [symbolHook]: true,
  };
  return Object.freeze(withFilePath(definition, filePath)) as unknown as IHook;
}
