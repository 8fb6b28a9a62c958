import { Readable } from "node:stream";
import type { IncomingMessage } from "node:http";
import { createHttpMixedClient, r, useExposureContext, type MixedHttpClientConfig } from "../../../node";
import { createDeferred, type Deferred } from "../../support/deferred";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import type { NodeExposureHttpConfig } from "../../../node";

export const soldOut = r.error<{ sku: string }>("batch.soldOut").build();
export const visitor = r.asyncContext<string>("batch.visitor").build();

/** What the tasks of one test share. */
export interface Doors {
  /** The doors that tasks wait at, by their inputs. */
  of(name: string): { readonly arrived: Deferred; readonly opened: Deferred; readonly aborted: Deferred };
}

export function createDoors(): Doors {
  const doors = new Map<string, ReturnType<Doors["of"]>>();
  return {
    of(name) {
      const known = doors.get(name) ?? {
        arrived: createDeferred(),
        opened: createDeferred(),
        aborted: createDeferred(),
      };
      doors.set(name, known);
      return known;
    },
  };
}

/** The tasks and events that batches of tests call. */
export function createDefinitions(doors: Doors, calls: string[]) {
  const task = <I, O>(name: string, run: (input: I, info: { readonly signal: AbortSignal }) => O) =>
    r
      .task(`batch.${name}`)
      .run(async (input: I, _dependencies, info) => {
        calls.push(`${name} ${JSON.stringify(input)}`);
        return run(input, info);
      })
      .build();
  const emitted = r.event<{ value: number }>("batch.emitted").build();
  const hook = r
    .hook("batch.onEmitted")
    .on(emitted)
    .run(async ({ data }) => {
      calls.push(`emitted ${data.value}`);
      data.value += 1;
    })
    .build();
  return [
    task("echo", (input: unknown) => input),
    task("sell", (sku: string) => soldOut.throw({ sku })),
    task("crash", () => {
      throw new Error("hunter2");
    }),
    task("whoami", () => visitor.use()),
    task("wait", async (name: string, { signal }) => {
      const door = doors.of(name);
      signal.addEventListener("abort", () => door.aborted.resolve());
      door.arrived.resolve();
      await Promise.race([door.opened.promise, door.aborted.promise]);
      return signal.aborted ? "aborted" : name;
    }),
    task("bytes", () => Readable.from(["by", "tes"])),
    task("ownReply", () => void useExposureContext().res.end("mine")),
    task("spread", () => Object.keys({ ...useExposureContext() }).sort()),
    task("headers", () => useExposureContext().headers),
    task("upload", async () => useExposureContext().req.complete),
    r
      .task("batch.items")
      .stream(async function* () {
        calls.push("items");
        yield 1;
      })
      .build(),
    emitted,
    hook,
  ];
}

export interface BatchTest extends AsyncDisposable {
  readonly exposure: TestExposure;
  readonly doors: Doors;
  /** What has run, in order. */
  readonly calls: readonly string[];
  /** Paths of the requests, in order. */
  readonly requests: readonly string[];
  readonly baseUrl: string;
  connect(config?: Partial<MixedHttpClientConfig>): ReturnType<typeof createHttpMixedClient>;
  /** Posts a batch, by its lines or its body. */
  post(lines: readonly string[] | string, headers?: Record<string, string>): Promise<Response>;
}

/** Serves the definitions, and counts the requests that reach the server. */
export async function startBatchTest(http: NodeExposureHttpConfig = {}): Promise<BatchTest> {
  const doors = createDoors();
  const calls: string[] = [];
  const requests: string[] = [];
  const exposure = await startExposure(createDefinitions(doors, calls), http, [soldOut, visitor]);
  exposure.handlers.server?.on("request", ({ url }: IncomingMessage) => requests.push(String(url)));
  const baseUrl = `http://127.0.0.1:${exposure.port}/__runner`;
  return {
    exposure,
    doors,
    calls,
    requests,
    baseUrl,
    connect: (config) =>
      createHttpMixedClient({
        baseUrl,
        auth: { token },
        batch: true,
        contexts: [visitor],
        errorRegistry: new Map([[soldOut.id, soldOut]]),
        ...config,
      }),
    post: (lines, headers) =>
      exposure.post("/__runner/batch", typeof lines === "string" ? lines : lines.map((line) => `${line}\n`).join(""), {
        "content-type": "application/x-runner-batch",
        ...headers,
      }),
    [Symbol.asyncDispose]: () => exposure[Symbol.asyncDispose](),
  };
}
