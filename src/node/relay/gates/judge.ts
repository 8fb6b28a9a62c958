import type { IncomingMessage } from "node:http";
import type { MaybePromise } from "../../../lib/typeLevel";
import type { TunnelVisitor } from "../visitor";
import type { VisitorAnswer } from "../visitorAnswer";
import type { VisitorError } from "../visitorError";

/** One request before the gates of a binding. */
export interface GateCall {
  readonly visitor: TunnelVisitor;
  readonly req: IncomingMessage;
  /** The path prefix that led to the binding; `""` where its host or port did. */
  readonly prefix: string;
  /** Aborts when the visitor leaves. */
  readonly signal: AbortSignal;
  /** The fields of a form in the body; `undefined` where it is no form, or too large. */
  readForm(): Promise<URLSearchParams | undefined>;
}

/** What one gate says. */
export type GateVerdict =
  /** `spentHeader` carried the credential, and ends at the relay. */
  | { readonly kind: "pass"; readonly spentHeader?: string | undefined }
  | { readonly kind: "deny"; readonly failure: VisitorError }
  | { readonly kind: "answer"; readonly answer: VisitorAnswer };

/** A gate, ready to judge. */
export interface Gate {
  /** What the request log calls it: the name of a built-in gate, or the id of a task. */
  readonly name: string;
  /** Parameters of the query that carry credentials: they end at the relay. */
  readonly secretParameters: readonly string[];
  /** Headers that carry credentials, in lower case: they are not logged. */
  readonly secretHeaders: readonly string[];
  judge(call: GateCall): MaybePromise<GateVerdict>;
}

export const pass: GateVerdict = { kind: "pass" };
