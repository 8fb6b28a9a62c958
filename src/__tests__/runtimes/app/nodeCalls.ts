/** What a program of Node, Deno or Bun does with the entry `@bluelibs/runner/node`. */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { r } from "@bluelibs/runner";
import { createFile } from "@bluelibs/runner/platform/createFile";
import {
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  globals,
  run,
  type HttpSmartClient,
  type MixedHttpClientConfig,
} from "@bluelibs/runner/node";
import { soldOut, token, visitor, type Address } from "./definitions";
import type { Trial } from "./report";

/** What each client of the entry does. */
const nodeClientCalls = {
  "takes a plain value there and back": (client) => client.task("app.echo", { a: 1 }),

  "takes a Date, a Map and a BigInt there and back": async (client) => {
    const input = { at: new Date(0), counts: new Map([["a", 1]]), big: 2n ** 64n };
    const { at, counts, big } = await client.task<typeof input, typeof input>("app.echo", input);
    return { isDate: at instanceof Date, isMap: counts instanceof Map, at: at.toISOString(), big: `${big}n` };
  },

  "catches the typed error of the task": async (client) => {
    try {
      return await client.task<string, unknown>("app.buy", "lamp");
    } catch (error) {
      if (!soldOut.is(error)) throw error;
      return { sku: error.data.sku, since: error.data.since.toISOString() };
    }
  },

  "takes an async context along": (client) => visitor.provide({ name: "Ada" }, () => client.task("app.whoAmI")),

  "sends JSON without the headers that fetch adds": async (client) => {
    const names = await client.task<undefined, string[]>("app.headerNames");
    return ["accept", "accept-language", "sec-fetch-mode", "user-agent"].filter((name) => names.includes(name));
  },

  "uploads a Blob": (client) => {
    const content = new Blob([new Uint8Array(100_000)], { type: "app/x" });
    return client.task("app.measure", { file: createFile({ name: "ü.bin" }, content) });
  },

  "uploads a file as it streams": (client) => {
    const pieces = Array.from({ length: 100 }, () => new Uint8Array(10_000));
    return client.task("app.measure", { file: createNodeFile({ name: "s.bin" }, { stream: Readable.from(pieces) }) });
  },

  "reads a reply as it streams": async (client) => {
    let bytes = 0;
    const stream = await client.task<number, Readable>("app.letters", 1000);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
    return bytes;
  },

  "streams both ways at once": async (client) => {
    const question = new Readable({ read() {} });
    question.push("is anybody there?");
    const answer: Readable = await client.task("app.shout", question);
    const first: unknown = await new Promise((resolve) => answer.once("data", (chunk) => resolve(String(chunk))));
    question.push("good");
    question.push("bye");
    question.push(null);
    return [first, await text(answer)];
  },

  "ends a call that it aborts, and the task over there": async (client, key) => {
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

  closes: async (client) => {
    await client.close();
    return client.task<unknown, unknown>("app.echo").catch((error: { code: string }) => error.code);
  },
} satisfies Record<string, (client: HttpSmartClient, key: string) => Promise<unknown>>;

const kinds = ["Smart", "Mixed", "Mixed from a factory"] as const;
type Kind = (typeof kinds)[number];
export type OneClientCall = keyof typeof nodeClientCalls;
export type NodeCall = `${Kind}: ${OneClientCall}`;
export const nodeClientKinds: readonly Kind[] = kinds;

/** The same calls by each client, the last in a run that is disposed of after them. */
export function nodeCalls({ baseUrl }: Address, key: string): Record<string, Trial> {
  const config: MixedHttpClientConfig = {
    baseUrl,
    auth: { token },
    forceSmart: ({ id }) => id === "app.letters",
  };
  const registry = { errorRegistry: new Map([[soldOut.id, soldOut]]), contexts: [visitor] };
  let running: Awaited<ReturnType<typeof run>> | undefined;
  const made = new Map<Kind, Promise<HttpSmartClient>>();
  const makers: Record<Kind, () => Promise<HttpSmartClient>> = {
    Smart: async () => createHttpSmartClient({ ...config, ...registry }),
    Mixed: async () => createHttpMixedClient({ ...config, ...registry }),
    "Mixed from a factory": async () => {
      const client = r
        .resource("local.client")
        .dependencies({ createClient: globals.resources.httpMixedClientFactory })
        .init(async (_config: void, { createClient }) => createClient(config))
        .build();
      const root = r.resource("local").register([soldOut, visitor, client]).build();
      running = await run(root, { logs: { printThreshold: null } });
      return running.getResourceValue(client);
    },
  };
  const clientOf = (kind: Kind): Promise<HttpSmartClient> => {
    const client = made.get(kind) ?? makers[kind]();
    made.set(kind, client);
    return client;
  };
  const trials: Record<string, Trial> = {};
  for (const kind of kinds) {
    for (const [name, call] of Object.entries(nodeClientCalls)) {
      trials[`${kind}: ${name}`] = async () => call(await clientOf(kind), `${key} ${kind}`);
    }
  }
  trials["disposes of the run"] = async () => running?.dispose();
  return trials;
}
