import { invalidJson, parallelReturnUnsupported } from "../../errors/wireErrors";
import { forgetEmission, isRepeated } from "../protocol/repeatedEmissions";
import type { WireBody, WireResponse } from "../protocol/wire";
import type { ServedEvent } from "./allowList";
import { textReply } from "./callReplies";
import { readBody } from "./readInput";
import type { ServedCall } from "./servedCall";
import { ServedScope } from "./servedScope";
import { contextsOf, within } from "./servedSlots";

/** Emits what a caller sent, as of the server. */
export async function serveEmission(call: ServedCall, served: ServedEvent): Promise<WireResponse> {
  const { server, request, time, caller } = call;
  const { eventManager, serializer, origin } = server;
  const text = await readText(request.body, server.jsonBytes);
  const { payload, returnPayload } = readEmission(readBody(text, serializer), served);
  time?.expired.throwIfAborted();
  call.phase = "run";
  const slots = (call.slots = contextsOf(server, request, served, caller));
  const scope = new ServedScope(request, origin, time, caller);
  // Who sent it finds it delivered: it was, by another path.
  const isHeard = isRepeated(eventManager, request);
  const hear = async (): Promise<unknown> => {
    try {
      return await within(slots, () => eventManager.cell(served.event).linked.emitWithResult(payload, origin, scope));
    } catch (error) {
      forgetEmission(eventManager, request);
      throw error;
    }
  };
  const result = isHeard ? payload : await hear();
  call.phase = "encode";
  return within(slots, () => textReply(returnPayload ? { ok: true, result } : { ok: true }, serializer));
}

/** The body of an emission. @throws {WireFailure} it is no text */
export async function readText(body: WireBody, limitBytes: number): Promise<string> {
  // Events take text only; a form is not JSON.
  if (body.kind !== "text") throw invalidJson();
  return body.read(limitBytes);
}

/** @throws {WireFailure} the payload is asked back of an event whose hooks run at once */
function readEmission(body: unknown, { event }: ServedEvent): { payload: unknown; returnPayload: boolean } {
  const { payload, returnPayload } = (body ?? {}) as { payload?: unknown; returnPayload?: unknown };
  if (returnPayload && event.parallel) throw parallelReturnUnsupported(event.id);
  return { payload, returnPayload: Boolean(returnPayload) };
}
