import type { ContextSlots } from "../../platform/contextScope";
import type { CallDeadline } from "../../define/task";
import type { WireFailure } from "../../errors/wireErrors";
import type { EmissionOrigin } from "../../lib/emissionPath";
import type { ByteBudget } from "../../lib/byteBudget";
import type { TraceContext } from "../../lib/traceContext";
import type { MaybePromise } from "../../lib/typeLevel";
import type { TracePoint } from "../../platform/tracePoint";
import type { RequestTrace } from "../../runtime/tracing";
import type { InputFileMeta } from "../../platform/inputFile";

/** Bytes as they come; the consumer pulls, so back-pressure is the consumer's pace. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** What a call is addressed to. */
export interface WireTarget {
  readonly kind: "task" | "event" | "discovery" | "batch" | "subscribe";
  /** Id of the task or event; `""` for what has none. Of a subscription, clients have its events here, for messages. */
  readonly id: string;
}

/** Text encoded by a serializer. */
export interface TextBody {
  readonly kind: "text";
  /**
   * The whole text. A body that is still arriving is refused as soon as it passes the limit.
   *
   * @param limitBytes counted in bytes as received. Default: none, for who made the body
   */
  read(limitBytes?: number): string | Promise<string>;
}

/** Files beside a value: the value's text, in which sentinels stand for the files. */
export interface FormBody {
  readonly kind: "form";
  readonly manifest: string;
  /** In the order they are sent. */
  readonly files: readonly WireFile[];
  /** The same for fetch; clients only. @throws {TypeError} a file is no blob */
  toWeb?(): FormData;
}

/** A form that is still arriving. */
export interface IncomingFormBody {
  readonly kind: "incomingForm";
  /**
   * Resolves as soon as the manifest is known; files go on arriving.
   *
   * @param decode turns the manifest's text into a value
   */
  open(decode: (manifest: string) => unknown): Promise<OpenedForm>;
}

export interface OpenedForm {
  /** The call's input, with file handles in the place of sentinels. */
  readonly input: unknown;
  /** Settles when the whole body was read; rejects when something was wrong with it. */
  readonly finished: Promise<void>;
  /** What is wrong with it, as far as that is known. */
  readonly failure: Error | undefined;
  /** The rest is not needed: read it and discard it. */
  discard(): void;
}

/** Raw bytes that are the whole input. */
export interface StreamBody {
  readonly kind: "stream";
  readonly stream: ByteStream;
}

/** The lines of a call that sends items: that of its input first. */
export interface ItemsBody {
  readonly kind: "items";
  readonly stream: ByteStream;
  /** The same for fetch; clients only. */
  toWeb?(): ReadableStream<Uint8Array>;
}

export type WireBody = TextBody | FormBody | IncomingFormBody | StreamBody | ItemsBody;

/** One file of a form, and where its bytes come from. */
export interface WireFile {
  readonly id: string;
  readonly meta: InputFileMeta;
  readonly source: { readonly bytes: Uint8Array } | { readonly stream: ByteStream } | { readonly blob: Blob };
}

/** Header names in lower case. */
export type WireHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** One call on its way. */
export interface WireRequest {
  readonly target: WireTarget;
  readonly headers: WireHeaders;
  readonly body: WireBody;
  /** The value that the body was written from; clients only. */
  readonly input?: unknown;
  /** Aborts when the caller aborts or leaves. Reading it may be what starts listening, so read it only if needed. */
  readonly signal?: AbortSignal | undefined;
  /** The time that the caller set for this call, in ms; clients only. */
  readonly timeoutMs?: number | undefined;
  /** What is left of the time of the call and of those around it, for the server to be told; clients only. */
  readonly deadline?: CallDeadline | undefined;
  /** The place of the call in a trace, for the server to be told; clients only. */
  readonly trace?: TraceContext | undefined;
  /** The emission that is sent, where a tunnel sends it; clients only. */
  readonly origin?: EmissionOrigin | undefined;
  /** The signal that the caller gave, if any, where another one has taken its place; clients only. */
  readonly ownSignal?: AbortSignal | undefined;
  /** The reply is to be a stream of items, which may last: over a connection that no other call waits for; clients only. */
  readonly wantsItems?: true | undefined;
  /** The call may be made more than once without harm; clients only. */
  readonly isRepeatable?: true | undefined;
  /** Where the call can go elsewhere as long as nothing of its body was read; clients only. */
  readonly bodyState?: BodyState | undefined;
  /** Called while the body leaves; clients only. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Called while the reply's body arrives; clients only. */
  readonly onDownloadProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** What is published of the call, where anything listens; servers only, which add to it. */
  readonly observed?: RequestTrace | undefined;
  /** Set by the edge of a server that has more to say of a request; servers only. */
  readonly edge?: WireEdge | undefined;
}

/** How far a body that can be read once has come. A carrier that can tell begins with `isUnread`, and takes it back. */
export interface BodyState {
  isUnread: boolean;
}

/** The request that brought a call, as validator tasks see it. */
export interface RequestDescription {
  /** Names in lower case. */
  readonly headers: Record<string, string | string[] | undefined>;
  readonly method: string;
  /** As requested, query included. */
  readonly url: string;
  readonly path: string;
}

/** What only the edge of a server knows of a request: how it came, and the reply that a task may write by itself. */
export interface WireEdge {
  /** The request, for validator tasks. */
  describe(): RequestDescription;
  /** Whether a program of this machine sent it. */
  isLocal(): MaybePromise<boolean>;
  /** Whose failures to authenticate count together; absent where they do not count. */
  failureAddress(): string | undefined;
  /** Whether a header arrived more than once. */
  isRepeated(header: string): boolean;
  /** Slots the task finds, among them the contexts its caller sent. */
  enter(contexts: ContextSlots | undefined): ContextSlots | undefined;
  /** Whether the task began to reply by itself; its result is then not sent. Called once, when the task has settled. */
  isReplyTaken(result: unknown): boolean;
  /** Cuts a reply that the task began before it failed. */
  abandonReply(): void;
  /** Whether the call was aborted because the server waits for it no longer. */
  readonly isShutDown: boolean;
  /** Whether an event is heard here that this run has sent itself, as by a broker that may hand it to any process. */
  readonly hearsOwn?: boolean | undefined;
  /** @param end called once, when the server takes no further calls; at once if it does not. @returns what takes that back */
  onClosing?(end: () => void): () => void;
  /** What the calls of a batch take of the edge; absent for a call by itself. */
  readonly batch?: BatchEdge | undefined;
}

/** What the edge of a server does for the calls of a batch. */
export interface BatchEdge {
  /** Takes a place for one more call, which `leave` gives back. @returns why there is none */
  enter(): WireFailure | undefined;
  leave(): void;
  /** What the task of a call finds around it. */
  slotsOf(line: WireRequest, contexts: ContextSlots | undefined): ContextSlots | undefined;
  /** Counts the replies that wait for their reader. */
  readonly budget: ByteBudget;
  /** Publishes each call as a request. */
  readonly requests?: TracePoint<RequestTrace> | undefined;
  /** Something failed outside the pipeline. */
  readonly onUnhandled: (error: unknown, requestId: string) => void;
}

/** How much of a request's body was handed to the connection. */
export interface UploadProgress {
  readonly sentBytes: number;
  /** Absent when a stream of unknown length is among what is sent; a file counts as long as its `size` says. */
  readonly totalBytes?: number | undefined;
}

/** How much of a reply's body has arrived. */
export interface DownloadProgress {
  readonly receivedBytes: number;
  /** Absent when the server does not say. */
  readonly totalBytes?: number | undefined;
}

/** What a reply carries. */
export type ReplyBody =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "stream";
      readonly stream: ByteStream;
      /** Whether the head is to be sent before the first bytes are there. */
      readonly flushHeaders?: boolean | undefined;
      /** Whether it is a stream of items or of events, which may last and has limits of its own. */
      readonly isItems?: true | "subscription" | undefined;
      /** Of items: resolves when the task has ended, which may be later than the reader has left. */
      readonly released?: Promise<void>;
      /** Settles when the stream is over, however it ends. Absent for streams of Node, which emit "close". */
      readonly ended?: Promise<void> | undefined;
    }
  /** The task replied by itself, on the carrier's own reply. */
  | { readonly kind: "taken" };

/** The response to a call. */
export interface WireResponse {
  readonly status: number;
  readonly statusText?: string | undefined;
  /** Default for text: JSON. */
  readonly contentType?: string | undefined;
  /** Beside the content type. */
  readonly headers?: WireHeaders | undefined;
  readonly body: ReplyBody;
  /** Who replied, where a client has several endpoints. */
  readonly baseUrl?: string | undefined;
}

/**
 * Sends one call and brings the reply back. Clients call it, servers implement it, tests join the two directly.
 *
 * Rejects only when the sending fails: connection lost, aborted. A call that failed is an ordinary `WireResponse`.
 */
export type Transport = (request: WireRequest) => Promise<WireResponse>;

/** A body from text that is already there. */
export const textBody = (text: string): TextBody => ({ kind: "text", read: () => text });

/** Whether replies with this status carry nothing behind their head. @see RFC 9110 §6.4.1 */
export const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304;
