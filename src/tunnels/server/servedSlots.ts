import type { IAsyncContext } from "../../define/asyncContext";
import { provideSlots, type ContextSlots } from "../../platform/contextScope";
import { contextHeader } from "../protocol/contextHeader";
import type { WireRequest } from "../protocol/wire";
import type { ServedEvent, ServedTask } from "./allowList";
import type { Caller } from "./authenticate";
import { providePrincipal } from "./principal";
import type { ReadContexts } from "./readContexts";

/** Where the contexts of a call come from. */
interface ContextSources {
  readonly readContexts: ReadContexts;
  readonly principalContext?: IAsyncContext | undefined;
}

/** The contexts that a caller sent, and who it is. */
export function contextsOf(
  { readContexts, principalContext }: ContextSources,
  { headers }: WireRequest,
  served: ServedTask | ServedEvent,
  caller: Caller | undefined,
): ContextSlots | undefined {
  const { contexts } = served;
  const sent = readContexts(headers[contextHeader], contexts === "all" ? undefined : contexts);
  return principalContext === undefined || caller === undefined
    ? sent
    : providePrincipal(principalContext, caller, sent);
}

/** What a task finds around it: the contexts its caller sent, and what the edge of the server adds. */
export function slotsOf(
  parts: ContextSources,
  request: WireRequest,
  served: ServedTask,
  caller: Caller | undefined,
): ContextSlots | undefined {
  const contexts = contextsOf(parts, request, served, caller);
  return request.edge === undefined ? contexts : request.edge.enter(contexts);
}

/** Runs a function with what a task finds around it. */
export const within = <T>(slots: ContextSlots | undefined, fn: () => T): T =>
  slots === undefined ? fn() : provideSlots(slots, fn);
