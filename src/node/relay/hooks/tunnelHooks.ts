import type { BuiltinTunnelHook } from "./hookContract";
import type { InjectFaultsHookConfig } from "./injectFaults";
import type { RateLimitHookConfig } from "./rateLimit";
import type { RedactHookConfig } from "./redact";
import type { ReplaceBodyHookConfig } from "./replaceBody";
import type { StripHeadersHookConfig } from "./stripHeaders";

/** A hook of the framework, before its config is given. */
export interface TunnelHookMaker<Config extends object> {
  with(config: Config): BuiltinTunnelHook;
}

const hook = <Config extends object>(name: BuiltinTunnelHook["hook"]): TunnelHookMaker<Config> => ({
  with: (config) => Object.freeze({ kind: "tunnelHook", hook: name, config }),
});

/** The hooks that come with the framework, for `hooks` of `tunnelRelay`. */
export const tunnelHooks = /* @__PURE__ */ (() => ({
  /** Takes headers away. */
  stripHeaders: hook<StripHeadersHookConfig>("stripHeaders"),
  /** Replaces texts in bodies. */
  redact: hook<RedactHookConfig>("redact"),
  /** Answers 429 to those who ask too often. */
  rateLimit: hook<RateLimitHookConfig>("rateLimit"),
  /** Sends another body. */
  replaceBody: hook<ReplaceBodyHookConfig>("replaceBody"),
  /** Delays, refuses or cuts, to see what happens. */
  injectFaults: hook<InjectFaultsHookConfig>("injectFaults"),
}))();
