import { TunnelError } from "../../errors/tunnelError";
import { isVersion } from "./subjects";

export const noResponder = (subject: string): TunnelError =>
  new TunnelError(
    "NO_RESPONDER",
    `No worker listens to ${subject}${isVersion(subject) ? ": none serves the task by the contract that this client has" : ""}.`,
    { subject, delivered: "no" },
    { httpCode: 503 },
  );

export const workerLost = (subject: string, worker: string | undefined, silentMs: number): TunnelError =>
  new TunnelError(
    "WORKER_LOST",
    worker === undefined
      ? `No worker has taken the call of ${subject} within ${silentMs} ms.`
      : `The worker ${worker}, which has taken the call of ${subject}, is silent for ${silentMs} ms.`,
    { subject, worker, delivered: "unknown" },
    { httpCode: 502 },
  );

export const connectionLost = (subject: string): TunnelError =>
  new TunnelError(
    "BROKER_LOST",
    `The connection to the broker was lost before ${subject} was answered.`,
    { subject, delivered: "unknown" },
    { httpCode: 502 },
  );

export const denied = (subject: string): TunnelError =>
  new TunnelError(
    "BROKER_DENIED",
    `The broker refuses ${subject}: the permissions of this connection do not include it.`,
    { subject },
    { httpCode: 403 },
  );

export const brokerOffline = (servers: string, offlineMs: number): TunnelError =>
  new TunnelError(
    "BROKER_OFFLINE",
    `The broker at ${servers} is away, for longer than ${offlineMs} ms.`,
    { servers, delivered: "no" },
    { httpCode: 503 },
  );

const noJetStream = (): TunnelError =>
  new TunnelError(
    "BROKER_WITHOUT_STREAMS",
    "The broker has no JetStream for this connection, which durable events and large bodies need: start it with -js.",
    { delivered: "no" },
    { httpCode: 503 },
  );

const unanswered = (cause: Error): TunnelError =>
  new TunnelError(
    "BROKER_LOST",
    `The broker has not answered: ${cause.message}.`,
    { delivered: "no" },
    { httpCode: 502 },
  );

/**
 * What a request to the broker itself has failed with, as an error of the tunnel; nothing was handed to a worker or a stream by then.
 *
 * By names: the library is loaded when it is needed.
 */
export function toBrokerError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const causes = [error, error.cause].filter((each) => each instanceof Error);
  const named = (...names: readonly string[]): Error | undefined => causes.find(({ name }) => names.includes(name));
  const denial = named("PermissionViolationError") as (Error & { readonly subject: string }) | undefined;
  const silence = named("TimeoutError", "ClosedConnectionError", "DrainingConnectionError");
  const typed =
    (denial && denied(denial.subject)) ??
    (named("JetStreamNotEnabled", "NoRespondersError") && noJetStream()) ??
    (silence && unanswered(silence));
  return typed === undefined ? error : Object.assign(typed, { cause: error });
}

/** Has what the broker refuses fail as an error of the tunnel. */
export async function asking<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw toBrokerError(error);
  }
}
