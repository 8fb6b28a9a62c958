// Loaded for calls with a key alone.
import { isKey, keyProblems } from "../protocol/idempotencyKey";
import type { WireBody } from "../protocol/wire";
import type { CallCodec } from "./codec";

/** A call that its caller gave a key. */
interface KeyedCall {
  readonly key: unknown;
  readonly body: WireBody;
  readonly wantsItems: boolean | undefined;
}

/**
 * Refuses a call that cannot have its key before anything is sent.
 *
 * @throws {Error} what the client makes of a server's refusal: the key is none, or the call streams or sends files
 */
export function assertKeyed(
  { failureOf }: Pick<CallCodec, "failureOf">,
  taskId: string,
  { key, body, wantsItems }: KeyedCall,
): void {
  const { notAKey, streams, body: notAText } = keyProblems;
  const reason = !isKey(key) ? notAKey : wantsItems ? streams : body.kind === "text" ? undefined : notAText;
  if (reason === undefined) return;
  const message = `A call of task "${taskId}" cannot be kept from happening twice: ${reason}.`;
  const [code, id] = ["IDEMPOTENCY_UNSUPPORTED", "runner.errors.idempotencyUnsupported"];
  throw failureOf({ code, id, message, data: { taskId, reason }, httpCode: 400 }, undefined);
}
