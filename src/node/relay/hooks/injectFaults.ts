import { setTimeout as sleep } from "node:timers/promises";
import type { RequestHook } from "./hook";
import type { TunnelHookScope } from "./hookContract";

/** Configures `globals.tunnelHooks.injectFaults`, for tests of what happens when a service fails. */
export interface InjectFaultsHookConfig extends TunnelHookScope {
  /** Waits before the request goes on, in ms; below `hookTimeoutMs` of the relay. */
  readonly delayMs?: number | undefined;
  /** Answers with this status, 400 to 599. */
  readonly status?: number | undefined;
  /** Cuts the connection without an answer. */
  readonly abort?: boolean | undefined;
  /** Share of requests that it happens to, 0 to 1. Default 1. */
  readonly rate?: number | undefined;
}

/**
 * Compiles faults that are made on purpose.
 *
 * @param option what the hook is called in messages
 * @param given what goes wrong
 * @param timeoutMs how long a hook may take
 * @param random for tests, 0 to 1
 * @throws {TypeError} the config cannot be meant
 */
export function compileInjectFaults(
  option: string,
  given: InjectFaultsHookConfig,
  timeoutMs: number,
  random: () => number = Math.random,
): readonly Omit<RequestHook, "order" | "mayServe" | "matches">[] {
  const { delayMs, status, abort = false, rate = 1 } = given;
  if (delayMs === undefined && status === undefined && !abort) {
    throw new TypeError(`${option} needs a fault: delayMs, status or abort.`);
  }
  if (delayMs !== undefined && !(Number.isSafeInteger(delayMs) && delayMs >= 0 && delayMs < timeoutMs)) {
    throw new TypeError(`${option}: delayMs must be a whole number below hookTimeoutMs (${timeoutMs}).`);
  }
  if (status !== undefined && !(Number.isInteger(status) && status >= 400 && status <= 599)) {
    throw new TypeError(`${option}: status must be a whole number from 400 to 599, got ${String(status)}.`);
  }
  if (!(rate >= 0 && rate <= 1)) throw new TypeError(`${option}: rate must be a number from 0 to 1.`);
  return [
    {
      stage: "request",
      id: "injectFaults",
      async run(context) {
        if (random() >= rate) return undefined;
        if (delayMs !== undefined) await sleep(delayMs, undefined, { signal: context.signal });
        if (abort) return context.abort();
        return status === undefined ? undefined : context.block(status);
      },
    },
  ];
}
