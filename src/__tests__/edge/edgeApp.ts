/** The application that every fetch edge of the tests serves. It imports nothing of Node. */
import {
  fetchExposure,
  r,
  run,
  useFetchContext,
  type FetchExposureHandlers,
  type FetchExposureHttpConfig,
  type InputFile,
} from "@bluelibs/runner";

export const edgeToken = "edge-secret";
export const memoryBytes = 128 * 1024;
export const maxJsonBytes = 2 * 1024 * 1024;

type File = InputFile<ReadableStream<Uint8Array>>;

export const outOfStock = r.error<{ sku: string; since: Date }>("edge.errors.outOfStock").build();
export const tenant = r.asyncContext<{ name: string }>("edge.contexts.tenant").build();
export const who = r.asyncContext<{ user: string }>("edge.contexts.who").build();
export const renamed = r.event<{ name: string }>("edge.events.renamed").build();

/** What has happened, for callers to ask. */
const marks = new Set<string>();

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const describeFile = async (file: File) => {
  const bytes = await collect(file.stream());
  return { name: file.name, type: file.type, length: bytes.length, sha256: await digest(bytes) };
};

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

const numbers = {
  parse(input: { a: number; b: number }) {
    if (typeof input?.a === "number" && typeof input.b === "number") return input;
    throw new Error("a and b must be numbers");
  },
};

export const tasks = {
  add: r
    .task("edge.add")
    .inputSchema(numbers)
    .run(async ({ a, b }) => a + b)
    .build(),
  echo: r
    .task("edge.echo")
    .run(async (input: unknown) => input)
    .build(),
  slashed: r
    .task("edge/slashed")
    .run(async () => "slashed")
    .build(),
  length: r
    .task("edge.length")
    .run(async (text: string) => text.length)
    .build(),
  outOfStock: r
    .task("edge.outOfStock")
    .run(async (sku: string) => outOfStock.throw({ sku, since: new Date(0) }))
    .build(),
  broken: r
    .task("edge.broken")
    .run(async () => {
      throw new Error("secret detail");
    })
    .build(),
  contexts: r
    .task("edge.contexts")
    .run(async () => {
      await turn();
      return { tenant: tenant.use().name, user: who.use().user };
    })
    .build(),
  request: r
    .task("edge.request")
    .run(async () => {
      await turn();
      const { request, requestId, info } = useFetchContext();
      const { remoteAddress } = info;
      return {
        method: request.method,
        path: request.url.replace(/^[a-z]+:\/\/[^/]+/, ""),
        note: request.headers.get("x-note"),
        requestId,
        hasAddress: typeof remoteAddress === "string",
      };
    })
    .build(),
  countdown: r
    .task("edge.countdown")
    .run(async function* (from: number) {
      for (let left = from; left > 0; left--) {
        await turn();
        yield `${left} ${tenant.use().name};`;
      }
    } as never)
    .build(),
  endless: r
    .task("edge.endless")
    .run(async function* (key: string) {
      try {
        for (;;) {
          yield "x".repeat(16 * 1024);
          await turn();
        }
      } finally {
        await turn();
        marks.add(key);
      }
    } as never)
    .build(),
  failsFirst: r
    .task("edge.failsFirst")
    .run(async function* () {
      await turn();
      outOfStock.throw({ sku: "tea", since: new Date(0) });
      yield "";
    } as never)
    .build(),
  failsLater: r
    .task("edge.failsLater")
    .run(async function* () {
      yield "begun";
      await turn();
      throw new Error("later");
    } as never)
    .build(),
  rows: r
    .task("edge.rows")
    .stream(async function* ({ from, to }: { from: number; to: number }) {
      for (let id = from; id <= to; id++) {
        await turn();
        yield { id, at: new Date(id) };
      }
      return { total: to - from + 1 };
    })
    .build(),
  collect: r
    .task("edge.collect")
    .itemInput<{ id: number; at: Date }>()
    .run(async (from: string, _dependencies, { items }) => {
      const ids: number[] = [];
      for await (const { id, at } of items) ids.push(id + at.getTime());
      return { from, ids };
    })
    .build(),
  tenants: r
    .task("edge.tenants")
    .stream(async function* (times: number) {
      for (let left = times; left > 0; left--) {
        await turn();
        yield tenant.use().name;
      }
    })
    .build(),
  rowsUntilEmpty: r
    .task("edge.rowsUntilEmpty")
    .stream(async function* (rows: number) {
      for (let id = 1; id <= rows; id++) yield { id };
      outOfStock.throw({ sku: "rows", since: new Date(0) });
    })
    .build(),
  endlessRows: r
    .task("edge.endlessRows")
    .stream(async function* (key: string) {
      try {
        for (;;) {
          yield "x".repeat(16 * 1024);
          await turn();
        }
      } finally {
        await turn();
        marks.add(key);
      }
    })
    .build(),
  waits: r
    .task("edge.waits")
    .run(async (key: string, _dependencies, { signal }) => {
      marks.add(`begun ${key}`);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      marks.add(key);
    })
    .build(),
  held: r
    .task("edge.held")
    .run(async (key: string, _dependencies, { signal }) => {
      signal.addEventListener("abort", () => marks.add(`aborted ${key}`));
      marks.add(`begun ${key}`);
      while (!marks.has(`released ${key}`)) await turn();
      marks.add(`ended ${key}`);
    })
    .build(),
  release: r
    .task("edge.release")
    .run(async (key: string) => void marks.add(`released ${key}`))
    .build(),
  hashBody: r
    .task("edge.hashBody")
    .run(async () => {
      const bytes = await collect(useFetchContext().request.body as ReadableStream<Uint8Array>);
      return { length: bytes.length, sha256: await digest(bytes) };
    })
    .build(),
  echoBody: r
    .task("edge.echoBody")
    .run(async function* () {
      const reader = (useFetchContext().request.body as ReadableStream<Uint8Array>).getReader();
      for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
    } as never)
    .build(),
  upload: r
    .task("edge.upload")
    .run(async ({ files, note }: { files: File[]; note?: string }) => {
      const described = [];
      for (const file of files) described.push(await describeFile(file));
      return { described, note };
    })
    .build(),
  uploadBackwards: r
    .task("edge.uploadBackwards")
    .run(async ({ files }: { files: File[] }) => {
      const described = [];
      for (const file of [...files].reverse()) described.push(await describeFile(file));
      return described;
    })
    .build(),
  ignoreFiles: r
    .task("edge.ignoreFiles")
    .run(async (_input: { files: File[] }) => "ignored")
    .build(),
  glance: r
    .task("edge.glance")
    .run(async ({ files: [file] }: { files: File[] }) => {
      const reader = (file as File).stream().getReader();
      const { value } = await reader.read();
      await reader.cancel();
      return (value?.byteLength ?? 0) > 0;
    })
    .build(),
  echoFile: r
    .task("edge.echoFile")
    .run(async ({ files: [file] }: { files: File[] }) => (file as File).stream())
    .build(),
  toDisk: r
    .task("edge.toDisk")
    .run(async ({ files: [file] }: { files: File[] }) =>
      (file as File).toTempFile().then(
        () => "written",
        (error: Error) => error.message,
      ),
    )
    .build(),
  respond: r
    .task("edge.respond")
    .run(async (key: string) => {
      useFetchContext().respond(
        new Response(`own ${key}`, { status: 418, headers: { "x-own": "1", "content-type": "text/plain" } }),
      );
      await turn();
      marks.add(key);
    })
    .build(),
  later: r
    .task("edge.later")
    .run(async (key: string) => {
      useFetchContext().waitUntil(turn().then(() => void marks.add(key)));
      return "now";
    })
    .build(),
  never: r
    .task("edge.never")
    .run(async () => new Promise<void>(() => {}))
    .build(),
  marked: r
    .task("edge.marked")
    .run(async (key: string) => marks.has(key))
    .build(),
  hidden: r
    .task("edge.hidden")
    .run(async () => "hidden")
    .build(),
};

const opened = Object.values(tasks).filter(({ id }) => id !== tasks.hidden.id);
const rename = r
  .hook("edge.hooks.rename")
  .on(renamed)
  .run(async ({ data }) => void marks.add(`renamed ${data.name}`))
  .build();

/** Runs the application. */
export async function startEdge(http: FetchExposureHttpConfig = {}): Promise<{
  readonly edge: FetchExposureHandlers;
  readonly dispose: () => Promise<void>;
}> {
  const server = r.tunnel.server("edge.server").tasks(opened).events([renamed]).subscribable([renamed]).build();
  const exposure = fetchExposure.with({
    http: {
      auth: { tokens: [{ token: edgeToken, name: "tests", principal: { user: "ada" } }], principal: who },
      limits: { multipart: { memory: memoryBytes } },
      ...http,
    },
  });
  const app = r
    .resource("edge.app")
    .register([...Object.values(tasks), outOfStock, tenant, who, renamed, rename, server, exposure])
    .build();
  const result = await run(app, { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } });
  return { edge: result.getResourceValue(fetchExposure), dispose: () => result.dispose() };
}
