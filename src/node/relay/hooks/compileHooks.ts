import type { ITask } from "../../../define/task";
import type { Store } from "../../../runtime/run/store";
import type { Hook, LimitHook, RequestHook, ResponseHook } from "./hook";
import { tunnelHook, type BuiltinTunnelHook, type TunnelHookScope } from "./hookContract";
import { compileInjectFaults } from "./injectFaults";
import { compileRateLimit, type RateLimitHookConfig } from "./rateLimit";
import { compileRedact, type RedactHookConfig } from "./redact";
import { compileReplaceBody, type ReplaceBodyHookConfig } from "./replaceBody";
import { compileScope } from "./scope";
import { compileStripHeaders } from "./stripHeaders";

/** The hooks of one binding, in their order. */
export interface BindingHooks {
  readonly limits: readonly LimitHook[];
  readonly requests: readonly RequestHook[];
  readonly responses: readonly ResponseHook[];
}

/** Hooks of the bindings of a relay. */
export interface RelayHooks {
  of(name: string | undefined): BindingHooks;
}

/**
 * Makes hooks ready to run: those of the config, and the tasks of the run that are tagged.
 *
 * @param timeoutMs how long each may take
 * @throws {TypeError} a config cannot be meant; the message names the option or the task
 */
export function compileHooks(
  configured: readonly BuiltinTunnelHook[] | undefined,
  store: Store,
  timeoutMs: number,
): RelayHooks {
  if (configured !== undefined && !Array.isArray(configured)) {
    throw new TypeError("tunnelRelay: hooks must be a list of hooks of globals.tunnelHooks.");
  }
  const builtin = (configured ?? []).flatMap((hook, index) =>
    compileBuiltin(`tunnelRelay: hooks[${index}]`, hook, timeoutMs),
  );
  const tasks = store.getTasksWithTag(tunnelHook).map((task) => taskHook(task, store));
  // The sort is stable: at equal order they run as they were listed and registered.
  const all = [...builtin, ...tasks].sort((a, b) => a.order - b.order);
  return {
    of(name) {
      const own = all.filter((hook) => hook.mayServe(name));
      const ofStage = <Stage extends Hook["stage"]>(stage: Stage): Extract<Hook, { stage: Stage }>[] =>
        own.filter((hook): hook is Extract<Hook, { stage: Stage }> => hook.stage === stage);
      return { limits: ofStage("limit"), requests: ofStage("request"), responses: ofStage("response") };
    },
  };
}

function compileBuiltin(option: string, given: BuiltinTunnelHook, timeoutMs: number): readonly Hook[] {
  const { kind, hook, config } = (given ?? {}) as Partial<BuiltinTunnelHook>;
  if (kind !== "tunnelHook" || hook === undefined) {
    throw new TypeError(
      `${option} is no hook of globals.tunnelHooks. Tasks tagged globals.tags.tunnelHook are registered, and not listed here.`,
    );
  }
  const named = `${option} (globals.tunnelHooks.${hook})`;
  if (typeof config !== "object" || config === null) throw new TypeError(`${named} needs a config.`);
  const scope = compileScope(named, config);
  const compiled: readonly object[] = {
    stripHeaders: () => compileStripHeaders(named, config),
    redact: () => compileRedact(named, config as RedactHookConfig),
    rateLimit: () => compileRateLimit(named, config as RateLimitHookConfig),
    replaceBody: () => compileReplaceBody(named, config as ReplaceBodyHookConfig),
    injectFaults: () => compileInjectFaults(named, config, timeoutMs),
  }[hook]();
  return compiled.map((part) => ({ ...scope, ...part }) as Hook);
}

function taskHook(task: ITask, store: Store): RequestHook | ResponseHook {
  const { id } = task;
  const config: TunnelHookScope & { readonly on?: unknown } = tunnelHook.extract(task) ?? {};
  const named = `The tag globals.tags.tunnelHook of the task "${id}"`;
  const { on = "request" } = config;
  if (on !== "request" && on !== "response") {
    throw new TypeError(`${named}: on must be "request" or "response", got "${String(on)}".`);
  }
  const cell = store.findTask(id);
  const run = async (context: { readonly signal: AbortSignal }): Promise<unknown> =>
    cell?.invoke(context, { scope: { signal: context.signal } });
  return { ...compileScope(named, config), stage: on, id, run };
}
