import { createHash, randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createHttpClient } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { edgeToken, maxJsonBytes, memoryBytes, outOfStock, renamed, tasks, tenant } from "./edgeApp";
import { filePart, formHeaders, formOf, manifestPart, sentinel } from "./forms";

/** Sends a request to the edge, over whatever leads to it. */
export type SendRequest = (path: string, init?: RequestInit & { duplex?: "half" }) => Promise<Response>;

/** One server of the application. */
export interface ServedEdge extends AsyncDisposable {
  readonly send: SendRequest;
  /** The base URL; absent where no socket leads there. */
  readonly baseUrl?: string | undefined;
}

/** What a host cannot do, so that its cases differ. */
export interface HostLimits {
  /** It offers no AsyncLocalStorage. */
  readonly withoutContexts?: boolean;
  /** Its requests have no signal that aborts when their caller leaves. */
  readonly withoutSignal?: boolean;
  /** No socket leads there, so that clients cannot call it. */
  readonly withoutSocket?: boolean;
  /** What it does not say of a caller. */
  readonly withoutAddress?: boolean;
}

const itemsType = "application/x-runner-items+ndjson";
/** To ask whether something has happened. */
const mostCalls = 5_000;

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const patternOf = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) % 251);

/** The same promises of every server that hands its requests to a fetch edge. */
export function describeEdge(host: string, open: () => Promise<ServedEdge>, limits: HostLimits = {}): void {
  describe(`a fetch edge served by ${host}`, () => {
    let served: ServedEdge;
    beforeAll(async () => void (served = await open()), 60_000);
    afterAll(() => served?.[Symbol.asyncDispose]());

    const title = (what: string): string => `a fetch edge served by ${host} ${what}`;
    const post = (id: string, body: RequestInit["body"], headers: Record<string, string> = {}, more: object = {}) =>
      served.send(`/__runner/task/${id}`, {
        method: "POST",
        headers: { "x-runner-token": edgeToken, "content-type": "application/json", ...headers },
        body,
        ...more,
      } as RequestInit);
    const call = async (id: string, input: unknown, headers?: Record<string, string>) => {
      const reply = await post(id, JSON.stringify({ input }), headers);
      return { status: reply.status, ...((await reply.json()) as { ok: boolean; result?: unknown; error?: object }) };
    };
    const upload = async (id: string, form: Uint8Array<ArrayBuffer>, more: object = {}) => {
      const reply = await post(id, form, formHeaders, more);
      return { status: reply.status, ...((await reply.json()) as { result?: unknown; error?: { code: string } }) };
    };
    const untilMarked = async (key: string): Promise<void> => {
      for (let calls = 0; calls < mostCalls; calls++) {
        if ((await call(tasks.marked.id, key)).result === true) return;
        // Where no socket is between, nothing else would ever get its turn.
        await nextTurn();
      }
      throw new Error(`"${key}" did not happen.`);
    };
    /** Cases of hosts that have contexts; `withoutContexts` says below what the others do. */
    const withContexts = (name: string, test: () => Promise<void>): void => {
      if (limits.withoutContexts !== true) it(name, test);
    };
    const read = async (id: string, input: unknown, headers: Record<string, string> = {}) => {
      const reply = await post(id, JSON.stringify({ input }), { accept: itemsType, ...headers });
      return { status: reply.status, type: reply.headers.get("content-type"), text: await reply.text() };
    };
    const leave = async (id: string, key: string, headers: Record<string, string> = {}): Promise<void> => {
      const leaving = new AbortController();
      const reply = await post(id, JSON.stringify({ input: key }), headers, { signal: leaving.signal });
      const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
      expect((await reader.read()).done).toBe(false);

      leaving.abort();
      await reader.cancel().catch(() => {});
    };

    it(title("runs a task and replies with its result"), async () => {
      const reply = await post(tasks.add.id, '{"input":{"a":19,"b":23}}');

      expect([reply.status, reply.headers.get("content-type"), await reply.json()]).toEqual([
        200,
        "application/json; charset=utf-8",
        { ok: true, result: 42 },
      ]);
    });

    it(title("has the headers of every reply, and keeps the id of the request"), async () => {
      const reply = await post(tasks.add.id, '{"input":{"a":1,"b":1}}', { "x-runner-request-id": "r-1" });
      await reply.text();

      const names = ["x-runner-request-id", "x-content-type-options", "x-frame-options", "access-control-allow-origin"];
      expect(names.map((name) => reply.headers.get(name))).toEqual(["r-1", "nosniff", "DENY", "*"]);
    });

    it(title("gives requests ids of their own"), async () => {
      const ids = await Promise.all(
        [1, 2].map(async () => {
          const reply = await post(tasks.echo.id, "{}");
          await reply.text();
          return reply.headers.get("x-runner-request-id");
        }),
      );

      expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/)]);
      expect(ids[0]).not.toBe(ids[1]);
    });

    it(title("carries dates and maps both ways"), async () => {
      const input = {
        when: { __type: "Date", value: "1970-01-01T00:00:00.000Z" },
        map: { __type: "Map", value: [[1, 2]] },
      };

      expect((await call(tasks.echo.id, input)).result).toEqual(input);
    });

    it(title("tells callers what is wrong with an input"), async () => {
      const { status, error } = await call(tasks.add.id, { a: "x" });

      expect([status, error]).toEqual([
        400,
        expect.objectContaining({ code: "VALIDATION_ERROR", data: expect.objectContaining({ id: tasks.add.id }) }),
      ]);
    });

    it(title("sends declared errors with their data, and keeps others to itself"), async () => {
      expect((await call(tasks.outOfStock.id, "tea")).error).toMatchObject({ id: outOfStock.id, data: { sku: "tea" } });
      expect(await call(tasks.broken.id, null)).toEqual({
        status: 500,
        ok: false,
        error: { message: "Internal Error", code: "INTERNAL_ERROR" },
      });
    });

    it(title("answers the calls of a batch, each by itself"), async () => {
      const reply = await served.send("/__runner/batch", {
        method: "POST",
        headers: { "x-runner-token": edgeToken, "content-type": "application/x-runner-batch" },
        body: [
          `0 /task/${tasks.add.id} {} {"input":{"a":1,"b":2}}`,
          `1 /task/${tasks.broken.id} {} {}`,
          `2 /task/nope {} {}`,
          `3 /task/${tasks.add.id} {} {"input":{"a":19,"b":23}}`,
        ].join("\n"),
      });
      const lines = (await reply.text()).trimEnd().split("\n");

      expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "application/x-runner-batch"]);
      expect(lines.map((line) => line.slice(0, 5)).sort()).toEqual(["0 200", "1 500", "2 403", "3 200"]);
      expect(lines).toContain('3 200 {"ok":true,"result":42}');
    });

    it(title("refuses a batch that makes no sense as a whole"), async () => {
      const reply = await served.send("/__runner/batch", {
        method: "POST",
        headers: { "x-runner-token": edgeToken, "content-type": "application/x-runner-batch" },
        body: `0 /task/${tasks.add.id} {} {}\n0 /task/${tasks.add.id} {} {}`,
      });

      expect([reply.status, await reply.json()]).toEqual([
        400,
        { ok: false, error: { message: "Invalid batch: 0 stands before two calls.", code: "INVALID_BATCH" } },
      ]);
    });

    it(title("refuses text that is no JSON"), async () => {
      const reply = await post(tasks.echo.id, "{nope");

      expect([reply.status, await reply.json()]).toEqual([
        400,
        { ok: false, error: { message: "Invalid JSON body", code: "INVALID_JSON" } },
      ]);
    });

    it.each(["GET", "POST"])(title("lists what it serves by %s"), async (method) => {
      const reply = await served.send("/__runner/discovery", { method, headers: { "x-runner-token": edgeToken } });
      const { result } = (await reply.json()) as { result: { allowList: { tasks: string[]; events: string[] } } };

      expect(result.allowList.tasks).toContain(tasks.add.id);
      expect(result.allowList.tasks).not.toContain(tasks.hidden.id);
      expect(result.allowList.events).toEqual([renamed.id]);
    });

    it.each([
      ["without a token", { "x-runner-token": "" }],
      ["with a wrong one", { "x-runner-token": "edge-secre" }],
      ["with one that arrived twice", { "x-runner-token": `${edgeToken}, ${edgeToken}` }],
    ])(title("refuses callers %s"), async (_what, headers) => {
      expect((await call(tasks.add.id, { a: 1, b: 1 }, headers)).status).toBe(401);
    });

    it.each([
      ["/__runner/task/edge.hidden", "POST", 403],
      ["/__runner/task/edge.unknown", "POST", 403],
      ["/__runner/nothing", "POST", 404],
      ["/__runner/task/edge.add", "PUT", 405],
    ])(title("refuses %s by %s with %i"), async (path, method, status) => {
      const reply = await served.send(path, { method, headers: { "x-runner-token": edgeToken }, body: "{}" });
      await reply.text();

      expect(reply.status).toBe(status);
      if (status === 405) expect(reply.headers.get("allow")).toBe("POST, OPTIONS");
    });

    it.each(["edge%2Fslashed", "edge%2fslashed", "edge/slashed"])(title("takes %s for one id"), async (id) => {
      expect((await call(id, null)).result).toBe("slashed");
    });

    it(title("answers what browsers ask before a call"), async () => {
      const reply = await served.send("/__runner/task/edge.add", {
        method: "OPTIONS",
        headers: { origin: "https://app.example", "access-control-request-headers": "x-runner-token" },
      });
      await reply.text();

      const names = ["access-control-allow-methods", "access-control-allow-headers", "access-control-allow-origin"];
      expect([reply.status, ...names.map((name) => reply.headers.get(name))]).toEqual([
        204,
        "POST, OPTIONS",
        "x-runner-token",
        "*",
      ]);
    });

    withContexts(title("provides the contexts of the caller, and its principal, after each await"), async () => {
      const header = JSON.stringify({ [tenant.id]: JSON.stringify({ name: "acme" }) });

      expect((await call(tasks.contexts.id, null, { "x-runner-context": header })).result).toEqual({
        tenant: "acme",
        user: "ada",
      });
    });

    withContexts(title("shows a task the request it serves"), async () => {
      const { result } = await call(`${tasks.request.id}?a=1`, null, {
        "x-note": "hello",
        "x-runner-request-id": "r-2",
      });

      expect(result).toEqual({
        method: "POST",
        path: `/__runner/task/${tasks.request.id}?a=1`,
        note: "hello",
        requestId: "r-2",
        hasAddress: limits.withoutAddress !== true,
      });
    });

    it(title("reads a body of a megabyte, characters of several bytes whole"), async () => {
      const text = "aé文".repeat(250_000);

      expect((await call(tasks.length.id, text)).result).toBe(text.length);
    });

    it(title("reads a body whose length is not announced"), async () => {
      const bytes = new TextEncoder().encode(JSON.stringify({ input: "é".repeat(1000) }));
      const pieces = [...Array(Math.ceil(bytes.length / 7)).keys()].map((index) =>
        bytes.slice(index * 7, index * 7 + 7),
      );
      const body = new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
      });
      const reply = await post(tasks.length.id, body, {}, { duplex: "half" });

      expect(await reply.json()).toEqual({ ok: true, result: 1000 });
    });

    it(title("refuses a body that is announced too large, and one that turns out to be"), async () => {
      const large = " ".repeat(maxJsonBytes + 1);
      const refused = { status: 413, code: "PAYLOAD_TOO_LARGE" };
      const outcomeOf = async (body: RequestInit["body"], more = {}) => {
        const reply = await post(tasks.echo.id, body, {}, more);
        return { status: reply.status, code: ((await reply.json()) as { error: { code: string } }).error.code };
      };

      expect(await outcomeOf(large)).toEqual(refused);
      expect(await outcomeOf(new Blob([large]).stream(), { duplex: "half" })).toEqual(refused);
    });

    withContexts(title("streams what a generator yields, in the contexts of its call"), async () => {
      const header = JSON.stringify({ [tenant.id]: JSON.stringify({ name: "acme" }) });
      const reply = await post(tasks.countdown.id, '{"input":3}', { "x-runner-context": header });

      expect([reply.headers.get("content-type"), await reply.text()]).toEqual([
        "application/octet-stream",
        "3 acme;2 acme;1 acme;",
      ]);
    });

    it(title("ends a generator whose reader has left"), async () => {
      const key = `left ${randomUUID()}`;

      await leave(tasks.endless.id, key);

      await untilMarked(key);
    });

    it(
      title("sends a stream that fails before its first piece as the failure, and breaks off a later one"),
      async () => {
        expect((await call(tasks.failsFirst.id, null)).error).toMatchObject({ id: outOfStock.id });

        const reply = await post(tasks.failsLater.id, "{}");
        await expect(reply.text()).rejects.toThrow();
      },
    );

    it(title("sends the items of a streamed task in lines, and what it returned in the last"), async () => {
      const when = (id: number) => `{"__type":"Date","value":"1970-01-01T00:00:00.00${id}Z"}`;

      expect(await read(tasks.rows.id, { from: 1, to: 2 })).toEqual({
        status: 200,
        type: itemsType,
        text: `{"item":{"id":1,"at":${when(1)}}}\n{"item":{"id":2,"at":${when(2)}}}\n{"ok":true,"result":{"total":2}}\n`,
      });
    });

    withContexts(title("runs a streamed task in the contexts of its call"), async () => {
      const headers = { "x-runner-context": JSON.stringify({ [tenant.id]: JSON.stringify({ name: "acme" }) }) };

      expect((await read(tasks.tenants.id, 2, headers)).text).toBe('{"item":"acme"}\n{"item":"acme"}\n{"ok":true}\n');
    });

    it(
      title("sends a declared error of a streamed task as the reply, or behind its items as the last line"),
      async () => {
        const failure = expect.objectContaining({ id: outOfStock.id });
        const first = await read(tasks.rowsUntilEmpty.id, 0);
        const later = await read(tasks.rowsUntilEmpty.id, 1);

        expect([first.type, JSON.parse(first.text)]).toEqual([
          "application/json; charset=utf-8",
          { ok: false, error: failure },
        ]);
        expect(
          later.text
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line) as unknown),
        ).toEqual([{ item: { id: 1 } }, { ok: false, error: failure }]);
      },
    );

    it(title("refuses to run a streamed task for a caller that takes one result"), async () => {
      expect(await call(tasks.rows.id, { from: 1, to: 2 })).toMatchObject({
        status: 406,
        error: { code: "NOT_ACCEPTABLE" },
      });
    });

    it(title("ends a streamed task whose reader has left"), async () => {
      const key = `items left ${randomUUID()}`;

      await leave(tasks.endlessRows.id, key, { accept: itemsType });

      await untilMarked(key);
    });

    if (limits.withoutSignal !== true) {
      it(title("aborts the signal of a task whose caller has left before the reply"), async () => {
        const key = `gone ${randomUUID()}`;
        const leaving = new AbortController();
        const reply = post(tasks.waits.id, JSON.stringify({ input: key }), {}, { signal: leaving.signal });
        reply.then((late) => late.text()).catch(() => {});
        await untilMarked(`begun ${key}`);

        leaving.abort();

        await untilMarked(key);
      });
    }

    if (limits.withoutSignal === true) {
      it(title("goes on with a task whose caller has left before the reply, which its host does not say"), async () => {
        const key = `unseen ${randomUUID()}`;
        const leaving = new AbortController();
        const reply = post(tasks.held.id, JSON.stringify({ input: key }), {}, { signal: leaving.signal });
        reply.then((late) => late.text()).catch(() => {});
        await untilMarked(`begun ${key}`);

        leaving.abort();
        await reply.catch(() => {});
        await call(tasks.release.id, key);

        await untilMarked(`ended ${key}`);
        expect((await call(tasks.marked.id, `aborted ${key}`)).result).toBe(false);
      });
    }

    withContexts(title("gives a task the raw bytes of a request"), async () => {
      const bytes = patternOf(3_000_000);
      const reply = await post(tasks.hashBody.id, bytes, { "content-type": "application/octet-stream" });

      expect(await reply.json()).toEqual({ ok: true, result: { length: 3_000_000, sha256: sha256Of(bytes) } });
    });

    withContexts(title("replies while the bytes of a request still arrive"), async () => {
      let feed!: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (feed = controller) });
      feed.enqueue(new TextEncoder().encode("first"));
      const headers = { "content-type": "application/octet-stream" };
      const reply = await post(tasks.echoBody.id, body, headers, { duplex: "half" });
      const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");

      feed.enqueue(new TextEncoder().encode("second"));
      feed.close();

      expect(new TextDecoder().decode((await reader.read()).value)).toBe("second");
      expect((await reader.read()).done).toBe(true);
    });

    if (limits.withoutContexts === true) {
      it.each([tasks.contexts, tasks.request, tasks.respond, tasks.later])(
        title("fails $id, which asks for a context, and says nothing of why"),
        async ({ id }) => {
          expect(await call(id, null)).toMatchObject({ status: 500, error: { code: "INTERNAL_ERROR" } });
        },
      );

      it(title("breaks nothing off but the call when a stream asks for a context"), async () => {
        expect(await call(tasks.countdown.id, 3)).toMatchObject({ status: 500, error: { code: "INTERNAL_ERROR" } });
        expect(await call(tasks.add.id, { a: 1, b: 1 })).toMatchObject({ status: 200, result: 2 });
      });

      it(title("refuses raw bytes, which no task could get at"), async () => {
        const reply = await post(tasks.hashBody.id, "bytes", { "content-type": "application/octet-stream" });

        expect([reply.status, await reply.json()]).toEqual([
          501,
          expect.objectContaining({ error: expect.objectContaining({ code: "OCTET_UNSUPPORTED" }) }),
        ]);
      });
    }

    it(title("receives files beside an input, whole and with their names"), async () => {
      const [first, second] = [patternOf(700_000), patternOf(10)];
      const form = formOf(
        manifestPart({ files: [{ $runnerFile: "File", id: "A" }, sentinel("B")], note: "é文" }),
        { name: "file:A", filename: "naïve 文.txt", type: "text/plain", content: first },
        filePart("B", second),
      );

      expect(await upload(tasks.upload.id, form)).toMatchObject({
        status: 200,
        result: {
          note: "é文",
          described: [
            { name: "naïve 文.txt", type: "text/plain", length: 700_000, sha256: sha256Of(first) },
            { name: "B.bin", length: 10, sha256: sha256Of(second) },
          ],
        },
      });
    });

    it(title("takes files before the manifest, and out of order, as far as memory for them goes"), async () => {
      const half = patternOf(memoryBytes / 2 - 1000);
      const manifest = manifestPart({ files: [sentinel("A"), sentinel("B")] });
      const parts = [filePart("A", half), filePart("B", "b")];

      expect((await upload(tasks.upload.id, formOf(...parts, manifest))).status).toBe(200);
      expect((await upload(tasks.uploadBackwards.id, formOf(manifest, ...parts))).status).toBe(200);
    });

    it.each(["manifest", "file"])(
      title("refuses a form whose %s comes behind more than memory takes"),
      async (late) => {
        const large = filePart("A", patternOf(memoryBytes * 4));
        const manifest = manifestPart({ files: [sentinel("A"), sentinel("B")] });
        const form =
          late === "manifest"
            ? formOf(large, filePart("B", "b"), manifest)
            : formOf(manifest, large, filePart("B", "b"));

        expect(await upload(tasks.uploadBackwards.id, form)).toMatchObject({
          status: 413,
          error: { code: "PAYLOAD_TOO_LARGE" },
        });
      },
    );

    it(title("answers when a task reads no file, or gives one up halfway"), async () => {
      const form = formOf(manifestPart({ files: [sentinel("A")] }), filePart("A", patternOf(2_000_000)));

      expect((await upload(tasks.ignoreFiles.id, form)).result).toBe("ignored");
      expect((await upload(tasks.glance.id, form)).result).toBe(true);
    });

    it(title("sends a file back as a stream"), async () => {
      const bytes = patternOf(2_000_000);
      const reply = await post(
        tasks.echoFile.id,
        formOf(manifestPart({ files: [sentinel("A")] }), filePart("A", bytes)),
        formHeaders,
      );

      expect(sha256Of(new Uint8Array(await reply.arrayBuffer()))).toBe(sha256Of(bytes));
    });

    it(title("says why a file cannot be written to a disk"), async () => {
      const form = formOf(manifestPart({ files: [sentinel("A")] }), filePart("A", "x"));

      expect((await upload(tasks.toDisk.id, form)).result).toMatch(/^toTempFile\(\) needs a file system/);
    });

    it.each([
      ["that breaks off", formOf(manifestPart({ files: [] })).slice(0, -6), 400, "INVALID_MULTIPART"],
      ["without a manifest", formOf(filePart("A", "x")), 400, "MISSING_MANIFEST"],
      ["with two manifests", formOf(manifestPart({}), manifestPart({})), 400, "INVALID_MULTIPART"],
      ["without a file that it names", formOf(manifestPart({ files: [sentinel("A")] })), 500, "MISSING_FILE_PART"],
      [
        "with too many files",
        formOf(manifestPart({ files: [] }), ...Array.from({ length: 11 }, (_, index) => filePart(`${index}`, "x"))),
        413,
        "PAYLOAD_TOO_LARGE",
      ],
    ])(title("refuses a form %s"), async (_what, form, status, code) => {
      expect(await upload(tasks.ignoreFiles.id, form)).toMatchObject({ status, error: { code } });
    });

    withContexts(title("sends the response that a task makes, while the task goes on"), async () => {
      const key = `responded ${randomUUID()}`;
      const reply = await post(tasks.respond.id, JSON.stringify({ input: key }));

      expect([
        reply.status,
        reply.headers.get("x-own"),
        reply.headers.get("content-type"),
        reply.headers.get("x-frame-options"),
        await reply.text(),
      ]).toEqual([418, "1", "text/plain", "DENY", `own ${key}`]);
      await untilMarked(key);
    });

    withContexts(title("goes on with work that outlives the reply"), async () => {
      const key = `later ${randomUUID()}`;

      expect((await call(tasks.later.id, key)).result).toBe("now");
      await untilMarked(key);
    });

    it(title("gives up a call whose time is up"), async () => {
      expect(await call(tasks.never.id, null, { "x-runner-deadline-ms": "20" })).toMatchObject({
        status: 504,
        error: { code: "DEADLINE_EXCEEDED" },
      });
    });

    it(title("emits events"), async () => {
      const name = randomUUID();
      const reply = await served.send(`/__runner/event/${renamed.id}`, {
        method: "POST",
        headers: { "x-runner-token": edgeToken },
        body: JSON.stringify({ payload: { name }, returnPayload: true }),
      });

      expect(await reply.json()).toEqual({ ok: true, result: { name } });
      await untilMarked(`renamed ${name}`);
    });

    if (limits.withoutSocket === true) return;
    it(title("is called by the clients of this package"), async () => {
      const baseUrl = served.baseUrl as string;
      const errorRegistry = new Map([[outOfStock.id, outOfStock]]);
      const universal = createHttpClient({ baseUrl, auth: { token: edgeToken }, errorRegistry });
      await using mixed = createHttpMixedClient({ baseUrl, auth: { token: edgeToken }, errorRegistry });
      const bytes = Buffer.from(patternOf(300_000));

      expect(await universal.task(tasks.add.id, { a: 1, b: 2 })).toBe(3);
      const caught: unknown = await mixed.task(tasks.outOfStock.id, "tea").catch((error: unknown) => error);
      expect(outOfStock.is(caught) && caught.data).toEqual({ sku: "tea", since: new Date(0) });
      const files = [createNodeFile({ name: "a.bin" }, { buffer: bytes })];
      expect(await mixed.task(tasks.upload.id, { files })).toMatchObject({
        described: [{ name: "a.bin", length: 300_000, sha256: sha256Of(bytes) }],
      });
      for (const client of [universal, mixed]) {
        const stream = client.stream(tasks.rows, { from: 1, to: 3 });
        const ids: number[] = [];
        for await (const { id, at } of stream) ids.push(id + at.getTime());
        expect([ids, await stream.result]).toEqual([[2, 4, 6], { total: 3 }]);
      }
    });
  });
}
