import type { VisitorAnswer } from "../visitorAnswer";
import { visitorErrors, type VisitorError } from "../visitorError";
import type { GateGroups } from "./compileGates";
import type { Gate, GateCall, GateVerdict } from "./judge";

/** What all gates of a binding say together, and which of them decided. */
export type GatesVerdict =
  | { readonly kind: "pass"; readonly gate: string; readonly spentHeaders: readonly string[] }
  | { readonly kind: "deny"; readonly gate: string; readonly failure: VisitorError }
  | { readonly kind: "answer"; readonly gate: string; readonly answer: VisitorAnswer };

/**
 * Asks one group after another: a visitor passes where all gates of one group let it.
 *
 * Of several refusals, one that asks for credentials is answered rather than one that does not. A gate that throws lets
 * no visitor in, and another group may.
 *
 * @param ask asks one gate, within its time
 * @param onFailed a gate threw
 */
export async function judgeGroups(
  groups: GateGroups,
  call: GateCall,
  ask: (gate: Gate, call: GateCall) => Promise<GateVerdict>,
  onFailed: (gate: Gate, error: unknown) => void,
): Promise<GatesVerdict> {
  let refusal: { readonly gate: string; readonly failure: VisitorError } | undefined;
  const refuse = (gate: Gate, failure: VisitorError): void => {
    if (refusal === undefined || rankOf(failure) > rankOf(refusal.failure)) refusal = { gate: gate.name, failure };
  };
  // A token that was accepted ends here, whichever group lets the visitor in.
  const spentHeaders: string[] = [];
  for (const group of groups) {
    let isIn = true;
    for (const gate of group) {
      const verdict = await ask(gate, call).catch((error: unknown): GateVerdict => {
        onFailed(gate, error);
        return { kind: "deny", failure: visitorErrors.gateFailed };
      });
      if (verdict.kind === "answer") return { ...verdict, gate: gate.name };
      if (verdict.kind === "deny") {
        refuse(gate, verdict.failure);
        isIn = false;
        break;
      }
      if (verdict.spentHeader !== undefined) spentHeaders.push(verdict.spentHeader);
    }
    if (isIn) return { kind: "pass", gate: group.map(({ name }) => name).join("+"), spentHeaders };
  }
  return { kind: "deny", ...(refusal as NonNullable<typeof refusal>) };
}

/** Which refusal a visitor is told of; a page to log in on comes before other ways to give credentials. */
function rankOf({ status, html }: VisitorError): number {
  if (status === 429) return 4;
  if (status === 500) return 3;
  if (status === 401) return html === undefined ? 1 : 2;
  return 0;
}
