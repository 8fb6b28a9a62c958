import { invalidJson, parallelReturnUnsupported } from "../../errors/wireErrors";
import type { CallScope } from "../../runtime/callScope";
import type { EventManager } from "../../runtime/events/eventManager";
import type { WireBody } from "../protocol/wire";
import type { ServedEvent } from "./allowList";

/** Emits what a caller sent, as of the server. */
export function emit(
  { eventManager, origin }: { readonly eventManager: EventManager; readonly origin: string },
  { event }: ServedEvent,
  payload: unknown,
  scope: CallScope,
): Promise<unknown> {
  return eventManager.cell(event).linked.emitWithResult(payload, origin, scope);
}

/** The body of an emission. @throws {WireFailure} it is no text */
export async function readText(body: WireBody, limitBytes: number): Promise<string> {
  // Events take text only; a form is not JSON.
  if (body.kind !== "text") throw invalidJson();
  return body.read(limitBytes);
}

/** @throws {WireFailure} the payload is asked back of an event whose hooks run at once */
export function readEmission(body: unknown, { event }: ServedEvent): { payload: unknown; returnPayload: boolean } {
  const { payload, returnPayload } = (body ?? {}) as { payload?: unknown; returnPayload?: unknown };
  if (returnPayload && event.parallel) throw parallelReturnUnsupported(event.id);
  return { payload, returnPayload: Boolean(returnPayload) };
}
