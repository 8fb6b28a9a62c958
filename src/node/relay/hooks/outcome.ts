import type { VisitorAnswer } from "../visitorAnswer";
import { visitorErrors, type VisitorError } from "../visitorError";
import { checkHeader } from "./headerList";
import type { TunnelHookOutcome } from "./hookContract";

/** What becomes of a request: `undefined` where it goes on. */
export type Decision =
  | { readonly kind: "answer"; readonly answer: VisitorAnswer }
  | { readonly kind: "deny"; readonly failure: VisitorError }
  | { readonly kind: "abort" }
  | undefined;

/**
 * Narrows what a hook returned.
 *
 * @throws {TypeError} it is no outcome, or cannot be sent
 */
export function readOutcome(returned: unknown): Decision {
  if (returned === undefined) return undefined;
  const outcome = returned as TunnelHookOutcome | null;
  switch (typeof outcome === "object" ? outcome?.action : undefined) {
    case "next":
      return undefined;
    case "abort":
      return { kind: "abort" };
    case "block": {
      const { status = 403 } = outcome as Extract<TunnelHookOutcome, { action: "block" }>;
      return { kind: "deny", failure: { ...visitorErrors.blocked, status: checkStatus(status, 400) } };
    }
    case "redirect": {
      const { url, status = 302 } = outcome as Extract<TunnelHookOutcome, { action: "redirect" }>;
      if (checkStatus(status, 300) > 399) throw new TypeError(`A redirect cannot have the status ${status}.`);
      checkHeader("Location", url);
      return answerOf(status, { Location: url }, "");
    }
    case "respond": {
      const { status, headers = {}, body = "" } = outcome as Extract<TunnelHookOutcome, { action: "respond" }>;
      if (typeof body !== "string" && !(body instanceof Uint8Array)) {
        throw new TypeError("The body of an answer must be a text or bytes.");
      }
      return answerOf(checkStatus(status, 200), headers, body);
    }
    case undefined:
      throw new TypeError("A hook returns nothing, or what ctx.next(), respond, redirect, block or abort return.");
  }
}

function answerOf(
  status: number,
  headers: Readonly<Record<string, string | readonly string[]>>,
  body: string | Uint8Array,
): Decision {
  const list: [string, string][] = [];
  for (const [name, values] of Object.entries(headers)) {
    for (const value of typeof values === "string" ? [values] : values) {
      checkHeader(name, value);
      list.push([name, value]);
    }
  }
  return { kind: "answer", answer: { status, headers: list, body } };
}

function checkStatus(status: unknown, least: number): number {
  if (!Number.isInteger(status) || (status as number) < least || (status as number) > 599) {
    throw new TypeError(`A status here is a whole number from ${least} to 599, got ${String(status)}.`);
  }
  return status as number;
}
