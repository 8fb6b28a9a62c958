import { formDataOf } from "../files/formDataBody";
import { targetPath } from "../protocol/paths";
import { settleOrAbort } from "./httpOptions";
import { createByteCounter } from "../protocol/progress";
import type { Transport, WireRequest } from "../protocol/wire";

/** Where a fetch transport sends its calls. */
export interface FetchTransportConfig {
  /** Without the slash at the end. */
  readonly baseUrl: string;
  /** Default: the global `fetch`, looked up at each call. */
  readonly fetchImpl?: typeof fetch | undefined;
}

/**
 * Carries calls by fetch: JSON and forms of blobs, answered by text. Redirects are refused, or the token would follow.
 *
 * @throws {Error} there is no fetch
 */
export function fetchTransport({ baseUrl, fetchImpl }: FetchTransportConfig): Transport {
  if (fetchImpl === undefined && typeof globalThis.fetch !== "function") {
    throw new Error("global fetch is not available; provide fetchImpl in config");
  }
  const send = fetchImpl ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));
  // What stands in for a fetch may know less than fetch: of signals, of statuses.
  return async (request) => {
    const { target, method, headers, signal, onProgress, onDownloadProgress } = request;
    const body = await webBodyOf(request);
    const init = { method, headers, body, signal, redirect: "error" };
    const response = await settleOrAbort(send(baseUrl + targetPath(target), init as RequestInit), signal);
    if (onProgress !== undefined) {
      // fetch tells nothing of what it sends; where it has a reply, it has sent all.
      const sentBytes = sizeOf(body);
      onProgress({ sentBytes, totalBytes: sentBytes });
    }
    return {
      status: response.status ?? 200,
      statusText: response.statusText,
      contentType: response.headers?.get("content-type") ?? undefined,
      body: { kind: "text", text: await readText(response, onDownloadProgress) },
    };
  };
}

/** A body for fetch and XMLHttpRequest. */
export async function webBodyOf({ body }: WireRequest): Promise<string | FormData> {
  if (body.kind === "text") return body.read();
  if (body.kind === "form") return formDataOf(body);
  throw new TypeError(`fetch cannot carry a ${body.kind} body.`);
}

/** Without the few bytes around the parts of a form, which only fetch knows. */
const sizeOf = (sent: string | FormData): number =>
  new Blob(typeof sent === "string" ? [sent] : [...sent.values()]).size;

async function readText(response: Response, report: WireRequest["onDownloadProgress"]): Promise<string> {
  if (report === undefined || !response.body) return response.text();
  // The length is that of the compressed bytes; what arrives here was decompressed.
  const length = response.headers.has("content-encoding") ? undefined : response.headers.get("content-length");
  const totalBytes = Number(length ?? 0) || undefined;
  const counter = createByteCounter((receivedBytes) => report({ receivedBytes, totalBytes }));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  // Where streams cannot be iterated, there is XMLHttpRequest, and progress is its business.
  for await (const chunk of response.body) {
    counter.add(chunk.byteLength);
    chunks.push(chunk);
  }
  counter.finish();
  return new Blob(chunks).text();
}
