import type { NatsLink } from "./link";
import { subjectPrefix } from "./subjects";

/** How many frames of a stream may be under way, or wait for its reader. */
export const frameCredit = 64;

/** How often a reader says what it has taken, in frames: often enough that a quick one is never waited for. */
export const grantEvery = 32;

/** Where a worker learns that a call was given up, or how far the reader of a stream is. */
export const controlSubject = (namespace: string, worker: string): string =>
  `${subjectPrefix(namespace, "cancel")}${worker}`;

/** Tells a worker that a call was given up. */
export function sendCancel(link: NatsLink, namespace: string, call: { worker: string; address: string }): void {
  if (link.isOnline) link.publish(controlSubject(namespace, call.worker), call.address);
}

/** @param taken how many frames the reader has taken in all: one message that is lost is made up for by the next */
export function sendGrant(
  link: NatsLink,
  namespace: string,
  call: { worker: string; address: string; taken: number },
): void {
  if (link.isOnline) link.publish(controlSubject(namespace, call.worker), `${call.address} ${call.taken}`);
}

/** @returns the address of a call, and what its reader has taken: absent, it was given up; NaN for what makes no sense */
export function readControl(text: string): { readonly address: string; readonly taken: number | undefined } {
  const space = text.indexOf(" ");
  if (space === -1) return { address: text, taken: undefined };
  const taken = text.slice(space + 1);
  return { address: text.slice(0, space), taken: /^\d{1,15}$/.test(taken) ? Number(taken) : NaN };
}
