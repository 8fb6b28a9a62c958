/** Runs in the page: makes the calls that a test describes to it, with the clients of the bundle. */
import { createHttpClient, Serializer, TunnelError, type ClientCallOptions, type HttpClient } from "../../index";
import type { Propagation } from "../../tunnels/transports/layers/propagate";
import { locale, soldOut, visitor } from "../contract/contractDefinitions";
import { createBlobType } from "./blobType";

/** How a client of the page is configured. */
export interface PageClientConfig {
  readonly baseUrl: string;
  readonly auth: { readonly token: string };
  readonly timeoutMs?: number | undefined;
  readonly propagate: Propagation;
}

/** A call, in a form that reaches the page. */
export interface PageCall {
  /** Names the call to `abort`. */
  readonly key: number;
  readonly client: PageClientConfig;
  readonly operation: "task" | "event" | "eventWithResult";
  readonly id: string;
  /** Graph text: loops reach the client as loops. */
  readonly input: string;
  /** Graph text of a list of items to send beside the input. */
  readonly items?: string | undefined;
  /** What the blobs of the input hold, in Base64, and their types. */
  readonly blobs: readonly { readonly base64: string; readonly type: string }[];
  /** Makes the client report progress, which takes XMLHttpRequest. */
  readonly progress: boolean;
  readonly isAborted: boolean;
  readonly scope: Pick<ClientCallOptions, "timeoutMs" | "deadline" | "trace">;
}

/** How a call ended; values as graph text. */
export type PageOutcome =
  | { readonly kind: "result"; readonly result: string }
  /** Resolved to a stream, whose bytes follow in Base64. */
  | { readonly kind: "stream"; readonly base64: string }
  | PageFailure;

/** What a call was rejected with. */
export type PageFailure =
  /** Rejected with the very reason its signal was aborted with. */
  | { readonly kind: "reason" }
  /** Rejected with an error of `soldOut`. */
  | { readonly kind: "declared"; readonly message: string; readonly data: string }
  | { readonly kind: "tunnelError"; readonly message: string; readonly code: string; readonly extras: string }
  | { readonly kind: "error"; readonly name: string; readonly message: string };

const controllers = new Map<number, AbortController>();
const clients = new Map<string, HttpClient>();

/** The controller that `abort` looks for. */
export function runUntilAborted(key: number, isAborted: boolean): AbortController {
  const controller = new AbortController();
  controllers.set(key, controller);
  if (isAborted) controller.abort(new Error("the caller's"));
  return controller;
}

/** Makes a call, and tells how it ended. */
export async function call(order: PageCall): Promise<PageOutcome> {
  const { signal } = runUntilAborted(order.key, order.isAborted);
  const serializer = new Serializer();
  serializer.addType(createBlobType((index) => blobOf(order.blobs[index])));
  try {
    const client = clientFor(order.client);
    const input = serializer.deserialize<unknown>(order.input);
    const options: ClientCallOptions = {
      ...order.scope,
      signal,
      ...(order.progress && { onProgress: () => {} }),
      ...(order.items !== undefined && { items: serializer.deserialize(order.items) }),
    };
    const send: (id: string, input: unknown, options: ClientCallOptions) => Promise<unknown> = client[order.operation];
    const result = await send(order.id, input, options);
    if (result instanceof ReadableStream) return { kind: "stream", base64: await readBase64(result) };
    return { kind: "result", result: serializer.serialize(result) };
  } catch (error) {
    return failureOf(error, signal);
  } finally {
    controllers.delete(order.key);
  }
}

/** What a call of a signal was rejected with, in a form that leaves the page. */
export function failureOf(error: unknown, signal: AbortSignal): PageFailure {
  const serializer = new Serializer();
  if (signal.aborted && error === signal.reason) return { kind: "reason" };
  if (soldOut.is(error)) {
    return { kind: "declared", message: error.message, data: serializer.serialize(error.data) };
  }
  const { name, message } = error as Error;
  if (!(error instanceof TunnelError)) return { kind: "error", name, message };
  const { code, details, id, data, httpCode } = error;
  return { kind: "tunnelError", message, code, extras: serializer.serialize({ details, id, data, httpCode }) };
}

async function readBase64(stream: ReadableStream<Uint8Array>): Promise<string> {
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Aborts a call in flight. */
export const abort = (key: number): void => controllers.get(key)?.abort(new Error("the caller's"));

/** Closes a client; later calls are made by another one. */
export async function close(config: PageClientConfig): Promise<void> {
  const key = JSON.stringify(config);
  const client = clients.get(key);
  clients.delete(key);
  await client?.close();
}

export function clientFor(config: PageClientConfig): HttpClient {
  const key = JSON.stringify(config);
  const known = clients.get(key);
  if (known !== undefined) return known;
  const errorRegistry = new Map([[soldOut.id, soldOut]]);
  const made = createHttpClient({ ...config, errorRegistry, contexts: [visitor, locale] });
  clients.set(key, made);
  return made;
}

function blobOf(content: PageCall["blobs"][number] | undefined): Blob {
  if (content === undefined) throw new Error("The input names a blob that did not come along.");
  const bytes = Uint8Array.from(atob(content.base64), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: content.type });
}
