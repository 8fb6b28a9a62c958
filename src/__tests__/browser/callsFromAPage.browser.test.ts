import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Page } from "playwright-core";
import { nodeExposure } from "../../node";
import { openBrowserPage, type BrowserPage, type PageGlobals } from "./openBrowserPage";
import { baseUrlOf, serve, token, told, type App } from "./pageApp";

/** The words of fetch, and which call it was. */
const refusedCall = /^Failed to fetch\n {2}task "app\.\w+": POST http:\/\/127\.0\.0\.1:\d+\/__runner\/task\/app\.\w+$/;

/** Exists in the page only, as does everything inside `page.evaluate`. */
declare const runner: PageGlobals;

const MiB = 1024 * 1024;

let browser: BrowserPage;
let page: Page;
/** Admits the page, and no header beyond those that 5.2 recommends to admit. */
let app: App;
/** Where the page makes its calls, and with what. */
let config: { baseUrl: string; auth: { token: string } };

beforeAll(async () => {
  browser = await openBrowserPage();
  page = browser.page;
  const cors = { origin: [browser.origin], allowedHeaders: ["x-runner-token", "content-type"] };
  app = await serve({ auth: { token }, cors });
  app.getResourceValue(nodeExposure).attachTo(browser.server);
  config = { baseUrl: baseUrlOf(app), auth: { token } };
}, 30_000);

afterAll(async () => {
  await app?.dispose();
  await browser?.[Symbol.asyncDispose]();
}, 30_000);

afterEach(() => expect(browser.pageErrors).toEqual([]));

it("a page carries a Date and a Map to another origin and back", async () => {
  const result = await page.evaluate(async (clientConfig) => {
    const client = runner.createHttpClient(clientConfig);
    const input = { when: new Date(0), labels: new Map([["sent", 1]]) };
    const { when, labels } = await client.task<typeof input, typeof input>("app.nextDay", input);
    return { isDate: when instanceof Date, isMap: labels instanceof Map, iso: when.toISOString(), labels: [...labels] };
  }, config);

  expect(result).toEqual({
    isDate: true,
    isMap: true,
    iso: "1970-01-02T00:00:00.000Z",
    labels: [
      ["sent", 1],
      ["received", 1],
    ],
  });
});

it("a page calls an exposure on the page's own origin by a relative URL", async () => {
  const letters = await page.evaluate((auth) => {
    const client = runner.createHttpClient({ baseUrl: "/__runner", auth });
    return client.task("app.letters", 3);
  }, config.auth);

  expect(letters).toBe("xxx");
});

it("a page uploads 5 MB with progress that ends on all of its bytes", async () => {
  const bytes = 5 * MiB;

  const { progress, result } = await page.evaluate(
    async ({ clientConfig, size }) => {
      const file = runner.createFile({ name: "a.bin" }, new Blob([new Uint8Array(size).fill(7)], { type: "app/x" }));
      const seen: { sentBytes: number; totalBytes?: number | undefined }[] = [];
      const client = runner.createHttpClient(clientConfig);
      const receipt = await client.task("app.upload", { file }, { onProgress: (event) => seen.push(event) });
      return { progress: seen, result: receipt };
    },
    { clientConfig: config, size: bytes },
  );

  const sha256 = createHash("sha256").update(Buffer.alloc(bytes, 7)).digest("hex");
  expect(result).toEqual({ name: "a.bin", type: "app/x", bytes, sha256 });
  const last = progress.at(-1);
  expect(last?.sentBytes).toBe(last?.totalBytes);
  expect(last?.sentBytes).toBeGreaterThan(bytes);
  const sent = progress.map(({ sentBytes }) => sentBytes);
  expect(sent).toEqual([...sent].sort((a, b) => a - b));
});

it("a page tells how much of a reply has arrived, to the last byte", async () => {
  const { last, length } = await page.evaluate(async (clientConfig) => {
    const seen: { receivedBytes: number; totalBytes?: number | undefined }[] = [];
    const client = runner.createHttpClient(clientConfig);
    const onDownloadProgress = (event: (typeof seen)[number]): void => void seen.push(event);
    const letters = await client.task<number, string>("app.letters", 1_000_000, { onDownloadProgress });
    return { last: seen.at(-1), length: letters.length };
  }, config);

  const bytes = JSON.stringify({ ok: true, result: "x".repeat(1_000_000) }).length;
  expect(length).toBe(1_000_000);
  expect(last).toEqual({ receivedBytes: bytes, totalBytes: bytes });
});

it("a page sends two files and a Date in one form", async () => {
  const result = await page.evaluate((clientConfig) => {
    const client = runner.createHttpClient(clientConfig);
    return client.task("app.compare", {
      left: runner.createFile({ name: "L ü.txt", type: "text/plain" }, new TextEncoder().encode("left"), "L"),
      right: runner.createFile({ name: "r.bin" }, new Blob(["right!"]), "R"),
      when: new Date(Date.UTC(2031, 1, 1)),
    });
  }, config);

  expect(result).toMatchObject({
    left: { name: "L ü.txt", type: "text/plain", bytes: 4 },
    right: { name: "r.bin", bytes: 6 },
    year: 2031,
  });
});

describe.each([
  ["fetch", false],
  ["XMLHttpRequest", true],
])("over %s", (_carrier, withProgress) => {
  it("a call from a page throws the typed error that the task threw", async () => {
    const caught = await page.evaluate(
      async ({ clientConfig, progress }) => {
        const helper = runner.r.error<{ limit: number; since: Date }>("app.errors.tooExpensive").build();
        const client = runner.createHttpClient({ ...clientConfig, errorRegistry: new Map([[helper.id, helper]]) });
        const onProgress = progress ? () => {} : undefined;
        try {
          return await client.task<unknown, never>("app.buy", undefined, { onProgress });
        } catch (error) {
          if (!helper.is(error)) return { is: false, error: String(error) };
          const { limit, since } = error.data;
          return { is: true, limit, since: since.toISOString() };
        }
      },
      { clientConfig: config, progress: withProgress },
    );

    expect(caught).toEqual({ is: true, limit: 10, since: "1970-01-01T00:00:00.000Z" });
  });

  it("a call from a page says what is wrong with an input that the task's schema refuses", async () => {
    const caught = await page.evaluate(
      async ({ clientConfig, progress }) => {
        const client = runner.createHttpClient(clientConfig);
        const onProgress = progress ? () => {} : undefined;
        try {
          return await client.task<unknown, never>("app.count", { n: "many" }, { onProgress });
        } catch (error) {
          if (!(error instanceof runner.TunnelError)) return { error: String(error) };
          return { code: error.code, data: error.data };
        }
      },
      { clientConfig: config, progress: withProgress },
    );

    expect(caught).toEqual({
      code: "VALIDATION_ERROR",
      data: { subject: "Task input", id: "app.count", issues: [{ path: ["n"], message: "must be a number" }] },
    });
  });

  it("a call from a page ends an aborted call at once, and aborts the signal of its task", async () => {
    const started = once(told, "started");
    const aborted = once(told, "aborted");
    const call = page.evaluate(
      async ({ clientConfig, progress }) => {
        const controller = new AbortController();
        addEventListener("give-up", () => controller.abort(new Error("changed my mind")), { once: true });
        const client = runner.createHttpClient(clientConfig);
        const onProgress = progress ? () => {} : undefined;
        try {
          return await client.task<unknown, never>("app.hang", {}, { signal: controller.signal, onProgress });
        } catch (error) {
          return { isReason: error === controller.signal.reason };
        }
      },
      { clientConfig: config, progress: withProgress },
    );
    await started;

    await page.evaluate(() => dispatchEvent(new Event("give-up")));

    expect(await call).toEqual({ isReason: true });
    await aborted;
  });

  it("a call from a page aborts a call that takes longer than its client allows, and aborts the signal of its task", async () => {
    let hasStarted = false;
    told.once("started", () => (hasStarted = true));
    const aborted = once(told, "aborted");
    const callWithin = (timeoutMs: number) =>
      page.evaluate(
        async ({ clientConfig, progress }) => {
          const client = runner.createHttpClient(clientConfig);
          const onProgress = progress ? () => {} : undefined;
          try {
            return await client.task<unknown, never>("app.hang", {}, { onProgress });
          } catch (error) {
            return (error as Error).name;
          }
        },
        { clientConfig: { ...config, timeoutMs }, progress: withProgress },
      );

    // On a busy machine the time may be up before the call has reached its task: then it gets more.
    const caught: unknown[] = [];
    for (let timeoutMs = 200; !hasStarted; timeoutMs *= 4) caught.push(await callWithin(timeoutMs));

    expect(new Set(caught)).toEqual(new Set(["AbortError"]));
    await aborted;
  });

  it("a call from a page is refused an exposure that admits another origin, before its task runs", async () => {
    const marked: string[] = [];
    const onMarked = (name: string): void => void marked.push(name);
    told.on("marked", onMarked);
    await using elsewhere = await serve({ auth: { token }, cors: { origin: ["https://elsewhere.test"] } });

    const caught = await page.evaluate(
      async ({ clientConfig, progress }) => {
        const client = runner.createHttpClient(clientConfig);
        const onProgress = progress ? () => {} : undefined;
        try {
          return await client.task<unknown, never>("app.mark", "refused", { onProgress });
        } catch (error) {
          return { name: (error as Error).name, message: (error as Error).message };
        }
      },
      { clientConfig: { ...config, baseUrl: baseUrlOf(elsewhere) }, progress: withProgress },
    );

    told.off("marked", onMarked);
    expect(caught).toEqual({ name: "TypeError", message: expect.stringMatching(refusedCall) as string });
    expect(marked).toEqual([]);
  });

  it("a call from a page is refused a header that the exposure does not admit", async () => {
    const caught = await page.evaluate(
      async ({ clientConfig, progress }) => {
        const client = runner.createHttpClient({
          ...clientConfig,
          onRequest: ({ headers }) => void (headers["x-tenant"] = "acme"),
        });
        const onProgress = progress ? () => {} : undefined;
        try {
          return await client.task<unknown, never>("app.letters", 1, { onProgress });
        } catch (error) {
          return { name: (error as Error).name, message: (error as Error).message };
        }
      },
      { clientConfig: config, progress: withProgress },
    );

    expect(caught).toEqual({ name: "TypeError", message: expect.stringMatching(refusedCall) as string });
  });

  it("a call from a page takes no reply from where it was redirected to", async () => {
    const caught = await page.evaluate(
      async ({ auth, progress }) => {
        const client = runner.createHttpClient({ baseUrl: "/moved/__runner", auth });
        const onProgress = progress ? () => {} : undefined;
        try {
          return await client.task<unknown, never>("app.letters", 1, { onProgress });
        } catch (error) {
          return { name: (error as Error).name, message: (error as Error).message };
        }
      },
      { auth: config.auth, progress: withProgress },
    );

    expect(caught.name).toBe("TypeError");
    expect(caught.message).toMatch(/^Failed to fetch\n.*redirect/);
  });
});

it("a page calls without the contexts of a client, because a browser has none", async () => {
  const user = await page.evaluate((clientConfig) => {
    const context = runner.r.asyncContext<{ user: string }>("app.ctx.session").build();
    const client = runner.createHttpClient({ ...clientConfig, contexts: [context] });
    return client.task("app.whoami");
  }, config);

  expect(user).toBe("nobody");
});

it("a page brings back an event's payload as the hooks over there left it", async () => {
  const payload = await page.evaluate(async (clientConfig) => {
    const client = runner.createHttpClient(clientConfig);
    await client.event("app.renamed", { name: "first" });
    const { name, at } = await client.eventWithResult<{ name: string; at?: Date }>("app.renamed", { name: "second" });
    return { name, at: at?.toISOString() };
  }, config);

  expect(payload).toEqual({ name: "SECOND", at: "1970-01-01T00:00:00.000Z" });
});

it("a page that batches makes the calls of one turn in one request, and a call that is alone by itself", async () => {
  const posted: string[] = [];
  const onRequest = ({ method, url }: IncomingMessage): void => {
    // What the browser asks before, because of the origin, is no call.
    if (method === "POST") posted.push(String(url));
  };
  const { server } = app.getResourceValue(nodeExposure);
  server?.on("request", onRequest);

  const seen = await page.evaluate(async (clientConfig) => {
    const client = runner.createHttpClient({ ...clientConfig, batch: true });
    const letters = (length: number): Promise<string> => client.task("app.letters", length);
    const together = await Promise.all([1, 2, 3].map(letters));
    return { together, alone: await letters(4), hasSetImmediate: "setImmediate" in globalThis };
  }, config);

  server?.off("request", onRequest);
  expect(seen).toEqual({ together: ["x", "xx", "xxx"], alone: "xxxx", hasSetImmediate: false });
  expect(posted).toEqual(["/__runner/batch", "/__runner/task/app.letters"]);
});

it("a page runs an application in the page, with a task of another origin called as its own", async () => {
  const result = await page.evaluate(async (clientConfig) => {
    const { createHttpClient, globals: pageGlobals, r: build, run: start } = runner;
    const letters = build.task.phantom<number, Promise<string>>("app.letters").build();
    const client = createHttpClient(clientConfig);
    const remote = build
      .resource("page.tunnel")
      .tags([pageGlobals.tags.tunnel])
      .init(async () => ({
        transport: "http" as const,
        mode: "client" as const,
        tasks: [letters.id],
        run: async (task: { id: string }, input: unknown) => client.task(task.id, input),
      }))
      .build();
    const greet = build
      .task("page.greet")
      .dependencies({ letters })
      .run(async (_input: void, deps) => `page: ${await deps.letters(2)}`)
      .build();
    const root = build.resource("page").register([letters, remote, greet]).build();
    const running = await start(root);
    const greeting = await running.runTask(greet);
    await running.dispose();
    return greeting;
  }, config);

  expect(result).toBe("page: xx");
});

it.each([
  ["serves everybody", { allowAnonymous: true }, ["sent as text", "sent as a form"]],
  ["serves programs of this machine, which a page of it is not", {}, []],
])("a page reaches, with requests that need no leave, an exposure that %s", async (_whom, auth, expected) => {
  const marked: string[] = [];
  const onMarked = (name: string): void => void marked.push(name);
  told.on("marked", onMarked);
  await using open = await serve({ auth });

  // What such requests do is done, although the page cannot read the answer.
  await page.evaluate(async (baseUrl) => {
    const url = `${baseUrl}/task/app.mark`;
    await fetch(url, { method: "POST", mode: "no-cors", body: JSON.stringify({ input: "sent as text" }) });
    const form = new FormData();
    form.append("__manifest", JSON.stringify({ input: "sent as a form" }));
    await fetch(url, { method: "POST", mode: "no-cors", body: form });
  }, baseUrlOf(open));

  told.off("marked", onMarked);
  expect(marked).toEqual(expected);
});
