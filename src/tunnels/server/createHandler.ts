import type { IErrorHelper } from "../../errors/defineError";
import {
  invalidJson,
  parallelReturnUnsupported,
  requestAborted,
  unauthorized,
  WireFailureError,
} from "../../errors/wireErrors";
import { provideSlots, type ContextSlots } from "../../platform/contextScope";
import type { EventManager } from "../../runtime/events/eventManager";
import type { SignalSource } from "../../runtime/link/call";
import type { SerializerLike } from "../../serializer/codec";
import type { Envelope } from "../protocol/envelope";
import { contextHeader } from "../protocol/headers";
import type { OpenedForm, WireBody, WireRequest, WireResponse } from "../protocol/wire";
import { admit, type AllowList, type ServedEvent, type ServedTask } from "./allowList";
import type { Authenticate } from "./authenticate";
import { discover } from "./discovery";
import { answerFailure, errorReply, type Phase } from "./errorReply";
import type { ReadContexts } from "./hydrateContexts";
import { openForm, type OpenFile } from "./openForm";
import { readBody, readInput, readManifest } from "./readInput";
import { discardResult, readStreamResult } from "./streamResult";

/** How a task's own way of answering is seen; only carriers whose reply a task can reach have one. */
export interface OwnReply<R extends WireRequest> {
  /** Slots the task finds beside the contexts its caller sent. */
  enter(request: R, contexts: ContextSlots | undefined): ContextSlots;
  /** Whether the task began to answer; its result is then not sent. Called once, when the task has settled. */
  isTaken(request: R, result: unknown): boolean;
  /** The task began to answer and then failed. */
  abandon(request: R): void;
}

/** What a server is made of. */
export interface HandlerParts<R extends WireRequest> {
  readonly authenticate: Authenticate<R>;
  readonly allowList: () => AllowList;
  readonly readContexts: ReadContexts;
  readonly eventManager: EventManager;
  readonly serializer: SerializerLike;
  /** Error helpers whose instances cross with id and data. */
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  /** Largest body of text, in bytes. */
  readonly jsonBytes: number;
  readonly openFile: OpenFile;
  readonly ownReply?: OwnReply<R> | undefined;
  /** Hears of what callers are not told. */
  readonly report: (error: unknown, request: R, phase: Phase) => void;
  /** Hears of requests that are refused for want of credentials. */
  readonly onUnauthorized?: ((request: R) => void) | undefined;
}

/**
 * Serves calls: authenticate, admit, read, run, encode. Never rejects.
 *
 * Nothing of the body is read before the caller is known and the target is served, so strangers cannot make us parse.
 */
export function createHandler<R extends WireRequest>(parts: HandlerParts<R>): (request: R) => Promise<WireResponse> {
  const { authenticate, allowList, serializer, errors, jsonBytes, openFile, ownReply, report, onUnauthorized } = parts;

  return async (request) => {
    const { target, body } = request;
    let phase: Phase = "authenticate";
    try {
      const asking = authenticate(request);
      if (asking !== undefined) await asking;

      phase = "admit";
      if (target.kind === "discovery") return textReply({ ok: true, result: discover(allowList()) }, serializer);
      const served = admit(allowList(), target);

      phase = "read";
      if (served.kind === "event") {
        const { payload, returnPayload } = readEmission(readBody(await readText(body, jsonBytes), serializer), served);
        phase = "run";
        const result = await emit(parts, request, served, payload);
        phase = "encode";
        return textReply(returnPayload ? { ok: true, result } : { ok: true }, serializer);
      }

      let form: OpenedForm | undefined;
      let input: unknown;
      if (body.kind === "text") {
        const text = body.read(jsonBytes);
        input = readInput(typeof text === "string" ? text : await text, serializer);
      } else if (body.kind !== "stream") {
        form = await openForm(body, (manifest) => readManifest(manifest, serializer), openFile);
        input = form.input;
      }

      phase = "run";
      const running = run(parts, request, served, input);
      const result = await (form === undefined ? running : besideForm(running, form));
      if (ownReply?.isTaken(request, result)) return taken;

      phase = "encode";
      const streamed = readStreamResult(result);
      if (streamed === undefined) return textReply({ ok: true, result }, serializer);
      const { stream, ...head } = streamed;
      return { ...head, body: { kind: "stream", stream } };
    } catch (error) {
      const failure = isGivenUp(error, request) ? new WireFailureError(requestAborted) : error;
      const answer = answerFailure(failure, phase, target, errors);
      if (answer.opaque) report(error, request, phase);
      // A task may answer with the same status.
      if (phase === "authenticate" && answer.status === unauthorized.status) onUnauthorized?.(request);
      if (phase === "run" && ownReply?.isTaken(request, undefined)) {
        ownReply.abandon(request);
        return taken;
      }
      return errorReply(answer, serializer);
    }
  };
}

/** What was given the signal, or reads from the caller's connection, fails with the platform's errors when it leaves. */
function isGivenUp(error: unknown, request: WireRequest): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  // These first: reading the signal would make one.
  return (name === "AbortError" || code === "ECONNRESET") && request.signal?.aborted === true;
}

const taken: WireResponse = { status: 200, body: { kind: "taken" } };

const textReply = (envelope: Envelope, serializer: SerializerLike): WireResponse => ({
  status: 200,
  body: { kind: "text", text: serializer.stringify(envelope) },
});

/** Runs a task with the contexts its caller sent. The signal goes along unread, so that it is made only if looked at. */
function run<R extends WireRequest>(
  parts: HandlerParts<R>,
  request: R,
  { cell, acceptsContexts }: ServedTask,
  input: unknown,
): Promise<unknown> {
  const { ownReply, readContexts } = parts;
  const contexts = acceptsContexts ? readContexts(request.headers[contextHeader]) : undefined;
  const slots = ownReply === undefined ? contexts : ownReply.enter(request, contexts);
  const options = { signalSource: request as SignalSource };
  return slots === undefined ? cell.invoke(input, options) : provideSlots(slots, () => cell.invoke(input, options));
}

function emit<R extends WireRequest>(
  parts: HandlerParts<R>,
  request: R,
  { event, acceptsContexts }: ServedEvent,
  payload: unknown,
): Promise<unknown> {
  const { eventManager, readContexts } = parts;
  const contexts = acceptsContexts ? readContexts(request.headers[contextHeader]) : undefined;
  const emitNow = (): Promise<unknown> => eventManager.emitWithResult(event, payload, emissionSource);
  return contexts === undefined ? emitNow() : provideSlots(contexts, emitNow);
}

const emissionSource = "exposure:http";

/**
 * Waits for a task whose files are still arriving. What is wrong with the form decides over what the task made of it,
 * and is not kept waiting for the task.
 */
async function besideForm(running: Promise<unknown>, form: OpenedForm): Promise<unknown> {
  const outcome = running.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const settled = await Promise.race([outcome, form.finished.then(() => outcome)]).catch((error: unknown) => {
    void outcome.then((late) => "value" in late && discardResult(late.value));
    throw error;
  });
  // A streamed reply may be made of the files, so it must not wait for them.
  const streams = "value" in settled && readStreamResult(settled.value) !== undefined;
  if (!streams) {
    form.discard();
    await form.finished;
  }
  if ("error" in settled) throw settled.error;
  return settled.value;
}

async function readText(body: WireBody, limitBytes: number): Promise<string> {
  // Events take text only; a form is not JSON.
  if (body.kind !== "text") throw new WireFailureError(invalidJson);
  return body.read(limitBytes);
}

function readEmission(body: unknown, { event }: ServedEvent): { payload: unknown; returnPayload: boolean } {
  const { payload, returnPayload } = (body ?? {}) as { payload?: unknown; returnPayload?: unknown };
  if (returnPayload && event.parallel) throw new WireFailureError(parallelReturnUnsupported(event.id));
  return { payload, returnPayload: Boolean(returnPayload) };
}
