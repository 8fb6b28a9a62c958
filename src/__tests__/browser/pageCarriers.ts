import { settle } from "../../define/safe";
import type { Page } from "playwright-core";
import { Serializer, TunnelError, type ClientCallOptions } from "../../index";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import { besideBlob, everything, type CarrierRow } from "../contract/carriers";
import { startContractApp, token } from "../contract/contractApp";
import { soldOut } from "../contract/contractDefinitions";
import { createBlobType } from "./blobType";
import type { BrowserPage, PageGlobals } from "./openBrowserPage";
import type { PageCall, PageClientConfig, PageOutcome } from "./pageCalls";

/** Exists in the page only. */
declare const runner: PageGlobals;

const MiB = 1024 * 1024;

/** @param browser the page whose clients make the calls; open once tests run */
export function pageCarriers(browser: () => BrowserPage): readonly CarrierRow[] {
  const row = (name: string, { progress, dress }: { progress: boolean; dress: CarrierRow["dress"] }): CarrierRow => ({
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
    can: {
      ...{ values: true, files: ["blob"], octets: false, streamedReplies: true, contexts: false, buffers: false },
      ...{ items: "neither way", subscriptions: false },
    },
  });
  const plain = (input: object): unknown => input;
  return [
    row("fetch", { progress: false, dress: plain }),
    row("XMLHttpRequest", { progress: true, dress: plain }),
    row("fetch, multipart of blobs", { progress: false, dress: besideBlob }),
    row("XMLHttpRequest, multipart of blobs", { progress: true, dress: besideBlob }),
  ];
}

let lastKey = 0;

/** A client on this side whose calls are made by a client in the page. */
function createPageClient(page: Page, client: PageClientConfig, progress: boolean): RemoteClient {
  async function call(
    operation: PageCall["operation"],
    id: string,
    input: unknown,
    { signal, timeoutMs, deadline, trace }: ClientCallOptions = {},
  ): Promise<unknown> {
    const key = ++lastKey;
    const { text, blobs } = await writeInput(input);
    const abort = (): void => void page.evaluate((aborted) => runner.calls.abort(aborted), key);
    const isAborted = signal?.aborted === true;
    signal?.addEventListener("abort", abort, { once: true });
    // What is left is a reading, which stays behind.
    const scope = { timeoutMs, trace, deadline: deadline && { remainingMs: deadline.remainingMs } };
    const order: PageCall = { key, client, operation, id, input: text, blobs, progress, isAborted, scope };
    const outcome = await page.evaluate((sent) => runner.calls.call(sent), order);
    signal?.removeEventListener("abort", abort);
    return valueOf(outcome, signal);
  }
  return {
    // Tests of carriers call by id, and say of any result what it is.
    task: async (id: unknown, input?: unknown, options?: ClientCallOptions): Promise<any> =>
      call("task", String(id), input, options),
    // As any result.
    safe: (id: unknown, input?: unknown, options?: ClientCallOptions): Promise<any> =>
      settle(() => call("task", String(id), input, options)),
    event: async (id: unknown, payload?: unknown, options?: ClientCallOptions) =>
      (await call("event", String(id), payload, options)) as undefined,
    // As any result.
    eventWithResult: async (id: unknown, payload?: unknown, options?: ClientCallOptions): Promise<any> =>
      call("eventWithResult", String(id), payload, options),
    stream(): never {
      throw new Error("Tests of streams run in the page itself.");
    },
    subscribe(): never {
      throw new Error("Tests of subscriptions run in the page itself.");
    },
    discover(): never {
      throw new Error("Tests of what servers say run outside of pages.");
    },
    // Over fetch there is nothing to close.
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

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
    case "reason":
      throw signal?.reason;
    case "declared":
      throw Object.assign(soldOut.create(serializer.deserialize(outcome.data)), { message: outcome.message });
    case "tunnelError": {
      const { details, ...extras } = serializer.deserialize<Partial<TunnelError>>(outcome.extras);
      throw new TunnelError(outcome.code, outcome.message, details, extras);
    }
    case "error": {
      const { name, message } = outcome;
      throw name === "TypeError" ? new TypeError(message) : Object.assign(new Error(message), { name });
    }
  }
}
