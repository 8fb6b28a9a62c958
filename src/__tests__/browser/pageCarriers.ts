import { settle } from "../../define/safe";
import type { Page } from "playwright-core";
import { Serializer, type ClientCallOptions, type ItemStream, type SubscribeOptions } from "../../index";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import { besideBlob, everything, type CarrierRow } from "../contract/carriers";
import { startContractApp, token } from "../contract/contractApp";
import { createBlobType } from "./blobType";
import type { BrowserPage, PageGlobals } from "./openBrowserPage";
import type { PageCall, PageClientConfig, PageOutcome } from "./pageCalls";
import { errorOf } from "./pageFailures";
import { nextKey, readInPage } from "./pageReading";

/** Exists in the page only. */
declare const runner: PageGlobals;

const MiB = 1024 * 1024;

/** @param browser the page whose clients make the calls; open once tests run */
export function pageCarriers(browser: () => BrowserPage): readonly CarrierRow[] {
  const row = (
    name: string,
    { progress, dress, streams = false }: { progress: boolean; dress: CarrierRow["dress"]; streams?: boolean },
  ): CarrierRow => ({
    name: `browser, ${name}`,
    connect: ({ baseUrl }, { token: presented = token, timeoutMs }) =>
      createPageClient(
        browser().page,
        { baseUrl, auth: { token: presented }, timeoutMs, propagate: everything },
        progress,
      ),
    serve: (options) => startContractApp({ ...options, http: { cors: { origin: [browser().origin] } } }),
    dress,
    timesOutWith: "AbortError",
    hasOwnClock: true,
    // The manifest of a form is one of its fields.
    textLimitBytes: dress === besideBlob ? MiB : 2 * MiB,
    // Connections of a browser to one host.
    callsAtOnce: 6,
    // The process that has the connections holds some of a reply as well, beside the kernel and the page.
    waitingBytes: 16 * MiB,
    can: {
      ...{ values: true, files: ["blob"], octets: false, streamedReplies: true, contexts: false, buffers: false },
      // Whatever makes its calls, a client has one way for them.
      ...{ items: streams ? "to the caller" : "neither way", subscriptions: streams },
    },
  });
  const plain = (input: object): unknown => input;
  return [
    row("fetch", { progress: false, dress: plain, streams: true }),
    row("XMLHttpRequest", { progress: true, dress: plain }),
    row("fetch, multipart of blobs", { progress: false, dress: besideBlob }),
    row("XMLHttpRequest, multipart of blobs", { progress: true, dress: besideBlob }),
  ];
}

/** A client on this side whose calls are made by a client in the page. */
function createPageClient(page: Page, client: PageClientConfig, progress: boolean): RemoteClient {
  async function call(
    operation: PageCall["operation"],
    id: string,
    input: unknown,
    { signal, timeoutMs, deadline, trace, items }: CallOptions = {},
  ): Promise<unknown> {
    const key = nextKey();
    const { text, blobs } = await writeInput(input);
    const abort = (): void => void page.evaluate((aborted) => runner.calls.abort(aborted), key);
    const isAborted = signal?.aborted === true;
    signal?.addEventListener("abort", abort, { once: true });
    // What is left is a reading, which stays behind.
    const scope = { timeoutMs, trace, deadline: deadline && { remainingMs: deadline.remainingMs } };
    const sent = { input: text, items: items === undefined ? undefined : textOf(items), blobs };
    const order: PageCall = { key, client, operation, id, ...sent, progress, isAborted, scope };
    const outcome = await page.evaluate((made) => runner.calls.call(made), order);
    signal?.removeEventListener("abort", abort);
    return valueOf(outcome, signal);
  }
  const close = (): Promise<void> => page.evaluate((closed) => runner.calls.close(closed), client);
  return {
    // Tests of carriers say of any result what it is.
    task: async (target: Target, input?: unknown, options?: CallOptions): Promise<any> =>
      call("task", idOf(target), input, options),
    // As any result.
    safe: (id: unknown, input?: unknown, options?: ClientCallOptions): Promise<any> =>
      settle(() => call("task", String(id), input, options)),
    event: async (id: unknown, payload?: unknown, options?: ClientCallOptions) =>
      (await call("event", String(id), payload, options)) as undefined,
    // As any result.
    eventWithResult: async (id: unknown, payload?: unknown, options?: ClientCallOptions): Promise<any> =>
      call("eventWithResult", String(id), payload, options),
    stream: (target: Target, input?: unknown, { signal, items }: CallOptions = {}): ItemStream<any, any> =>
      readInPage(page, {
        client,
        target: {
          kind: "task",
          id: idOf(target),
          input: textOf(input),
          items: items === undefined ? undefined : textOf(items),
        },
        signal,
      }),
    subscribe: (events: readonly Target[], { after, ...listening }: SubscribeOptions = {}): ItemStream<any, any> =>
      readInPage(page, {
        client,
        target: { kind: "events", ids: events.map(idOf), after: textOf(after) },
        ...listening,
      }),
    discover(): never {
      throw new Error("Tests of what servers say run outside of pages.");
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

type CallOptions = ClientCallOptions & { readonly items?: unknown };
type Target = string | { readonly id: string };
const idOf = (target: Target): string => (typeof target === "string" ? target : target.id);
const textOf = (value: unknown): string => new Serializer().serialize(value);

async function writeInput(input: unknown): Promise<{ text: string; blobs: PageCall["blobs"] }> {
  const blobs: Blob[] = [];
  const serializer = new Serializer();
  serializer.addType(
    createBlobType(
      (index) => blobs[index] as Blob,
      (blob) => blobs.push(blob) - 1,
    ),
  );
  const text = serializer.serialize(input);
  const read = async (blob: Blob) => ({
    base64: Buffer.from(await blob.arrayBuffer()).toString("base64"),
    type: blob.type,
  });
  return { text, blobs: await Promise.all(blobs.map(read)) };
}

/** What the caller gets of a call in the page, or what it is thrown. */
function valueOf(outcome: PageOutcome, signal: AbortSignal | undefined): unknown {
  const serializer = new Serializer();
  switch (outcome.kind) {
    case "result":
      return serializer.deserialize(outcome.result);
    case "stream":
      return new Blob([Buffer.from(outcome.base64, "base64")]).stream();
    default:
      throw errorOf(outcome, signal);
  }
}
