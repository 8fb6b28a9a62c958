/** What a program of any runtime does with the entry `@bluelibs/runner`. */
import { createHttpClient, globals, PlatformAdapter, r, run, TunnelError } from "@bluelibs/runner";
import { createFile } from "@bluelibs/runner/platform/createFile";
import { renamed, soldOut, token, visitor, type Address } from "./definitions";
import type { Trial } from "./report";

const auth = { token };

/** @param key tells the calls of this program from those of others */
export function universalCalls({ baseUrl, redirectingUrl }: Address, key: string) {
  const client = createHttpClient({
    baseUrl,
    auth,
    errorRegistry: new Map([[soldOut.id, soldOut]]),
    contexts: [visitor],
  });
  return {
    "detects its platform": async () => new PlatformAdapter().id,

    "takes a plain value there and back": () => client.task("app.echo", { a: 1, list: [true, null, "ü"] }),

    "takes a Date, a Map and a BigInt there and back": async () => {
      const input = { at: new Date(0), counts: new Map([["a", 1]]), big: 2n ** 64n };
      const { at, counts, big } = await client.task<typeof input, typeof input>("app.echo", input);
      return { isDate: at instanceof Date, isMap: counts instanceof Map, at: at.toISOString(), big: `${big}n` };
    },

    "catches the typed error of the task": async () => {
      try {
        return await client.task<string, unknown>("app.buy", "lamp");
      } catch (error) {
        if (!soldOut.is(error)) throw error;
        return { sku: error.data.sku, since: error.data.since.toISOString() };
      }
    },

    "takes an async context along": () => visitor.provide({ name: "Ada" }, () => client.task("app.whoAmI")),

    "uploads a Blob": () => {
      const content = new Blob([new Uint8Array(100_000)], { type: "app/x" });
      return client.task("app.measure", { file: createFile({ name: "ü.bin" }, content) });
    },

    "reads a reply as it streams": async () => {
      const stream = await client.task<number, ReadableStream<Uint8Array>>("app.letters", 100);
      const reader = stream.getReader();
      let bytes = 0;
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) bytes += piece.value.byteLength;
      return bytes;
    },

    "reads the items of a streamed task, and what it returned": async () => {
      const stream = client.stream<number, { id: number; at: Date }, { total: number }>("app.rows", 3);
      const seen: unknown[] = [];
      for await (const { id, at } of stream) seen.push([id, at.getTime()]);
      return { seen, result: await stream.result };
    },

    "sends items while the task reads them": async () => {
      async function* readings() {
        for (let id = 1; id <= 3; id++) yield { id, at: new Date(id) };
      }
      return client.task<string, unknown>("app.collect", "from", { items: readings() });
    },

    "hears an event of the server": async () => {
      const events = client.subscribe([renamed])[Symbol.asyncIterator]();
      let isHeard = false;
      const heard = events.next().finally(() => (isHeard = true));
      // What is emitted before the subscription has begun is not for it.
      while (!isHeard) await client.event(renamed, { name: key });
      const { value } = await heard;
      await events.return?.();
      return { event: value?.event, isOurs: value?.payload.name.length === key.length };
    },

    "makes the calls of one turn in one request": async () => {
      const paths: string[] = [];
      await using batching = createHttpClient({
        baseUrl,
        auth,
        batch: true,
        fetchImpl: (url, init) => {
          paths.push(new URL(String(url)).pathname);
          return fetch(url, init);
        },
      });
      const results = await Promise.all([1, 2, 3].map((input) => batching.task("app.echo", input)));
      return { results, paths };
    },

    "ends a call that it aborts, and the task over there": async () => {
      const controller = new AbortController();
      const call = client.task<string, unknown>("app.hang", key, { signal: controller.signal }).then(
        () => "answered",
        (error: unknown) => (error === controller.signal.reason ? "rejected with the reason" : error),
      );
      await client.task("app.awaitStart", key);
      controller.abort(new Error("changed my mind"));
      const ending = await call;
      await client.task("app.awaitAbort", key);
      return ending;
    },

    "gives up a call that takes too long": async () => {
      const impatient = createHttpClient({ baseUrl, auth, timeoutMs: 100 });
      return impatient.task<string, unknown>("app.hang", `${key}, in vain`).catch((error: Error) => error.name);
    },

    "follows no redirect": async () => {
      const redirected = createHttpClient({ baseUrl: redirectingUrl, auth });
      return redirected.task<unknown, unknown>("app.echo", 1).then(
        () => "followed",
        () => "refused",
      );
    },

    "brings back what hooks made of an event": async () => {
      const payload = await client.eventWithResult<{ name: string; at?: Date }>("app.events.renamed", { name: "ada" });
      return { name: payload.name, at: payload.at?.toISOString() };
    },

    "runs an application with a task of another process": async () => {
      const released: string[] = [];
      const remoteEcho = r.task.phantom<string, Promise<string>>("app.echo").build();
      const toServer = r
        .resource("local.tunnels.toServer")
        .tags([globals.tags.tunnel])
        .dependencies({ createClient: globals.resources.httpClientFactory })
        .init(async (_config: void, { createClient }) => {
          const remote = createClient({ baseUrl, auth });
          return {
            mode: "client" as const,
            tasks: [remoteEcho.id],
            run: async (task: { id: string }, input: unknown) => remote.task(task.id, input),
          };
        })
        .dispose(async () => void released.push("tunnel"))
        .build();
      const greet = r
        .task("local.greet")
        .dependencies({ remoteEcho })
        .run(async (name: string, deps) => `hello ${await deps.remoteEcho(name)}`)
        .build();
      const root = r.resource("local").register([remoteEcho, toServer, greet]).build();
      const running = await run(root, { logs: { printThreshold: null } });
      const greeting = await running.runTask(greet, "Ada");
      await running.dispose();
      return { greeting, released };
    },

    closes: async () => {
      await client.close();
      return client.task<unknown, unknown>("app.echo").catch((error: TunnelError) => error.code);
    },
  } satisfies Record<string, Trial>;
}

export type UniversalCall = keyof ReturnType<typeof universalCalls>;
