import type { CarriedBody } from "../carriedBody";
import { withinTime } from "../withinTime";
import { requestContext, responseContext, type HookedExchange } from "./context";
import type { HeaderList } from "./headerList";
import type { RequestHook, ResponseHook } from "./hook";
import { readOutcome, type Decision } from "./outcome";

/** What hooks may change. */
export interface HookedMessage<Head> {
  readonly exchange: HookedExchange;
  readonly head: Head;
  readonly body: CarriedBody;
}

/** How long each hook may take, in ms, and until when at all. */
export interface HookLimits {
  readonly timeoutMs: number;
  /** Aborts when the visitor leaves. */
  readonly signal: AbortSignal;
}

/**
 * Asks the hooks that match, in their order, until one decides.
 *
 * @throws (as a rejection) what a hook threw
 */
export async function runRequestHooks(
  hooks: readonly RequestHook[],
  { exchange, head, body }: HookedMessage<{ target: string; readonly headers: HeaderList }>,
  { timeoutMs, signal }: HookLimits,
): Promise<Decision> {
  for (const hook of hooks) {
    if (!hook.matches(exchange.visitor)) continue;
    const { target } = head;
    const returned = await withinTime(`The hook "${hook.id}"`, timeoutMs, signal, (own) =>
      hook.run(requestContext(exchange, head, body, own)),
    );
    if (head.target !== target) assertTarget(head.target);
    const decision = readOutcome(returned);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

/** As `runRequestHooks`; all of them run. */
export async function runResponseHooks(
  hooks: readonly ResponseHook[],
  { exchange, head, body }: HookedMessage<{ status: number; readonly headers: HeaderList }>,
  { timeoutMs, signal }: HookLimits,
): Promise<void> {
  for (const hook of hooks) {
    const { status } = head;
    await withinTime(`The hook "${hook.id}"`, timeoutMs, signal, (own) =>
      hook.run(responseContext(exchange, head, body, own)),
    );
    assertStatus(head.status, status);
  }
}

/** Drivers take nothing but the origin form. */
function assertTarget(target: unknown): void {
  if (typeof target !== "string" || !/^\/[\x21-\x7e]*$/.test(target)) {
    throw new TypeError("head.target must be a path that begins with /, in visible ASCII characters.");
  }
}

/** What has a body and what has none must stay apart, because the body is under way already. */
function assertStatus(status: unknown, before: number): void {
  if (status === before) return;
  const isWhole = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599 && value !== 204 && value !== 304;
  if (!isWhole(status) || !isWhole(before)) {
    throw new TypeError(`head.status cannot become ${String(status)} from ${before}.`);
  }
}
