import { expectTypeOf } from "expect-type";
import { r } from "../../define/r";
import type { ITask } from "../../define/task";
import { httpClientFactory } from "../../globals/resources/httpClientFactory";
import { getDefaultSerializer } from "../../serializer/Serializer";
import { globalTags } from "../../globals/tags";
import type { TunnelClient, TunnelRunner } from "../routing/tags";
import { createExposureClient, createExposureFetch, createHttpClient } from "./httpClients";

const appError = r.error<{ code: number; message: string }>("app.errors.generic").build();
const requestInfo = r.asyncContext<{ requestId: string }>("app.contexts.requestInfo").build();

const client = createHttpClient({
  baseUrl: "/__runner",
  serializer: getDefaultSerializer(),
  auth: { token: "secret", header: "x-api-key" },
  contexts: [requestInfo],
  errorRegistry: new Map([[appError.id, appError]]),
  onRequest: ({ headers }) => {
    headers["authorization"] = "Bearer x";
  },
  fetchImpl: async (_url, _init) => new Response(),
});

expectTypeOf(client.task<{ a: number }, number>("t", { a: 1 })).toEqualTypeOf<Promise<number>>();
expectTypeOf(client.task("t", { a: 1 })).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(client.task("t")).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(client.event("e", { m: 1 })).toEqualTypeOf<Promise<void>>();
expectTypeOf(client.eventWithResult?.("e", { m: 1 })).toEqualTypeOf<Promise<{ m: number }>>();
expectTypeOf(client.close()).toEqualTypeOf<Promise<void>>();
expectTypeOf(client).toExtend<TunnelClient & AsyncDisposable>();
void client.task("t", 1, {
  signal: new AbortController().signal,
  onProgress: ({ sentBytes, totalBytes }) => {
    expectTypeOf(sentBytes).toEqualTypeOf<number>();
    expectTypeOf(totalBytes).toEqualTypeOf<number | undefined>();
  },
  onDownloadProgress: ({ receivedBytes }) => expectTypeOf(receivedBytes).toEqualTypeOf<number>(),
});
// @ts-expect-error -- an input of another type than stated
void client.task<{ a: number }, number>("t", { a: "1" });

// Serializers are optional everywhere.
createExposureFetch({ baseUrl: "/__runner" });
createExposureClient({ url: "/__runner", auth: { token: process.env["RUNNER_TOKEN"] ?? "" } });
// @ts-expect-error -- here it is called url
createExposureClient({ baseUrl: "/__runner" });

// A client fits a tunnel, by hand and as a whole.
const add = r.task.phantom<{ a: number }, number>("app.add").build();
expectTypeOf({
  run: async (task: { id: string }, input?: unknown) => await client.task(task.id, input),
}).toExtend<TunnelRunner>();
r.resource("app.tunnel")
  .tags([globalTags.tunnel])
  .dependencies({ clientFactory: httpClientFactory })
  .init(async (_config, { clientFactory }) => {
    const remote = clientFactory({ baseUrl: "http://127.0.0.1:7070/__runner", auth: { token: "dev-secret" } });
    return {
      transport: "http" as const,
      mode: "client" as const,
      tasks: [add.id],
      run: async (task, input) => await remote.task(task.id, input),
      emit: async (emission) => remote.event(emission.id, emission.data),
    };
  })
  .build();
r.resource("app.tunnel.client")
  .tags([globalTags.tunnel])
  .init(async () => ({ mode: "client" as const, tasks: [add], client: createExposureClient({ url: "/__runner" }) }))
  .build();

// A definition stands wherever an id does, and brings its types along.
const nap = r.task.phantom<void, string>("app.nap").build();
const placed = r.event<{ sku: string }>("app.placed").build();
expectTypeOf(client.task(add, { a: 1 })).toEqualTypeOf<Promise<number>>();
expectTypeOf(client.task(nap)).toEqualTypeOf<Promise<string>>();
expectTypeOf(client.event(placed, { sku: "tea" })).toEqualTypeOf<Promise<void>>();
expectTypeOf(client.eventWithResult(placed, { sku: "tea" })).toEqualTypeOf<Promise<{ sku: string }>>();
// @ts-expect-error -- another input than the task's
void client.task(add, { a: "1" });
// @ts-expect-error -- the task takes an input
void client.task(add);
// @ts-expect-error -- another payload than the event's
void client.event(placed, { sku: 1 });
expectTypeOf({
  run: async (task: ITask, input?: unknown) => (await client.task(task, input)) as unknown,
}).toExtend<TunnelRunner>();
