import type { Readable } from "node:stream";
import { Readable as ReadableStream } from "node:stream";
import { r } from "../../define/r";
import { CancellationError } from "../../errors/cancellation";
import { globals } from "../../globals/index";
import type { NodeExposureHttpConfig } from "../../node/exposure/config/config";
import { hasExposureContext, useExposureContext } from "../../node/exposure/exposureContext";
import { nodeExposure } from "../../node/exposure/exposureResource";
import { readInputFileToBuffer } from "../../node/files/nodeFile";
import type { InputFile } from "../../platform/inputFile";
import { run } from "../../run";

/** The tasks, events, contexts and errors that the recorded exchanges talk to. */

const generic = r
  .error<{ code: number; message: string; when?: Date }>("app.errors.generic")
  .format(({ code, message }) => `E${code}: ${message}`)
  .build();
const noFormat = r.error<{ a: number }>("app.errors.nofmt").build();
const teapot = r.error<{ message: string; a: number }>("app.errors.http").httpCode(418).build();

const requestContext = r.asyncContext<{ requestId: string; at?: Date }>("app.ctx.req").build();
const customContext = r
  .asyncContext<{ v: string }>("app.ctx.custom")
  .serialize(({ v }) => `C:${v}`)
  .parse((text) => ({ v: text.slice(2) }))
  .build();

type Upload = { file: InputFile<Readable>; other?: unknown };

const nameOf = (thrown: unknown): string => `ERR ${(thrown as Error).name}`;
const attempt = <T>(read: () => T): T | string => {
  try {
    return read();
  } catch (error) {
    return nameOf(error);
  }
};

// `any`: each recorded task takes what it likes.
const task = (id: string, body: (input: any) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

const schema = {
  parse(input: { x?: unknown } | undefined) {
    if (typeof input?.x !== "number") throw new Error("x must be a number");
    return input;
  },
};

const tasks = [
  task("app.add", ({ a, b }: { a: number; b: number }) => a + b),
  task("app.echo", (input) => input as unknown),
  task("app.undef", () => undefined),
  task("app.nul", () => null),
  task("app.types", () => ({ d: new Date(0), m: new Map([["k", 1]]), u: undefined, n: NaN, b: 1n, r: /x/g })),
  task("app.typeof", (v) => ({ t: typeof v, isDate: v instanceof Date, v: v as unknown })),
  task("app.throw", () => {
    throw new Error("secret");
  }),
  task("app.throwstr", () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the recorded task does
    throw "secret";
  }),
  task("app.typed", () => generic.throw({ code: 7, message: "Boom", when: new Date(0) })),
  task("app.nofmt", () => noFormat.throw({ a: 1 })),
  task("app.unserializable", () => () => 1),
  task("app.cycle", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    return cycle;
  }),
  task("app.cancel", () => {
    throw new CancellationError("given up");
  }),
  task("app.stream", () => ReadableStream.from(["hello ", "world"], { objectMode: false })),
  task("app.streamwrap", () => ({
    stream: ReadableStream.from(["csv"], { objectMode: false }),
    status: 201,
    contentType: "text/csv",
    headers: { "x-extra": "1", "set-cookie": "a=b", "access-control-allow-origin": "evil" },
  })),
  task("app.hijack", () => {
    const { res } = useExposureContext();
    res.writeHead(202, { "content-type": "text/plain", "content-length": "6" });
    res.end("custom");
  }),
  task("app.hijackopen", () => {
    const { res } = useExposureContext();
    res.write("part1;");
    setImmediate(() => res.end("part2"));
  }),
  task("app.duplex", (input) => {
    const { req, res } = useExposureContext();
    res.setHeader("content-type", "text/plain");
    res.write(`in=${String(input)};`);
    req.pipe(res);
  }),
  task("app.octetjson", async (input) => {
    let n = 0;
    for await (const chunk of useExposureContext().req) n += (chunk as Buffer).length;
    return { n, i: input === undefined ? "undef" : "def" };
  }),
  task("app.octetstreamback", () => useExposureContext().req),
  task("app.exctx", () => {
    const context = useExposureContext();
    const { basePath, headers, method, req, res, signal, url } = context;
    const keys = Object.keys({ basePath, headers, method, req, res, signal, url });
    return {
      keys,
      basePath,
      method,
      path: url.pathname,
      href: url.href,
      aborted: signal.aborted,
      has: hasExposureContext(),
    };
  }),
  task("app.ctx", () => ({ a: attempt(() => requestContext.use()), b: attempt(() => customContext.use()) })),
  r
    .task("app.schema")
    .inputSchema(schema)
    .run(async (input) => input)
    .build(),
  task("app.upload", async ({ file, other }: Upload) => {
    const content = (await readInputFileToBuffer(file)).toString();
    const twice = await file.resolve().then(
      () => "no error",
      (error: Error) => error.message,
    );
    const { name, type, size, lastModified, extra } = file;
    return { name, type, size, lastModified, extra, content, twice, other };
  }),
  task("app.upload-noread", ({ file: { name, type } }: Upload) => ({ name, type })),
  task("app.upload-two", async ({ x, y }: { x: InputFile<Readable>; y: InputFile<Readable> }) => ({
    x: `x:${(await readInputFileToBuffer(x)).toString()}`,
    y: `y:${(await readInputFileToBuffer(y)).toString()}`,
  })),
  task("app.hasfile", ({ file, ...rest }: Upload) => ({
    keys: Object.keys({ file, ...rest }),
    ctor: file.constructor.name,
  })),
  task("app/slash id", (input) => `slash:${String(input)}`),
  task("app.slow", () => undefined),
  task("app.http418", () => teapot.throw({ message: "teapot", a: 1 })),
  task("app.notlisted", () => "hidden"),
];

// `any`: each recorded event takes what it likes.
const event = (id: string) => r.event<any>(id).build();
const ev = event("app.ev");
const evThrow = event("app.evthrow");
const evTyped = event("app.evtyped");
const evContext = event("app.evctx");
const events = [
  ev,
  r.event<unknown>("app.evpar").parallel(true).build(),
  r.event("app.evschema").payloadSchema(schema).build(),
  evThrow,
  evTyped,
  evContext,
  event("app.evhidden"),
];

interface EventPayload {
  inc?: number;
  at?: Date;
  ctx?: unknown;
  has?: boolean;
}

const hooks = [
  r
    .hook("app.hooks.ev")
    .on(ev)
    .run(async ({ data }: { data: EventPayload | undefined }) => {
      if (data?.inc === undefined) return;
      data.inc += 1;
      data.at = new Date(0);
    })
    .build(),
  r
    .hook("app.hooks.throw")
    .on(evThrow)
    .run(async () => {
      throw new Error("secret");
    })
    .build(),
  r
    .hook("app.hooks.typed")
    .on(evTyped)
    .run(async () => generic.throw({ code: 1, message: "ev" }))
    .build(),
  r
    .hook("app.hooks.ctx")
    .on(evContext)
    .run(async ({ data }: { data: EventPayload }) => {
      data.ctx = requestContext.use();
      data.has = hasExposureContext();
    })
    .build(),
];

const listedTasks = tasks.map(({ id }) => id).filter((id) => id !== "app.notlisted" && id !== "app.http418");
const listedEvents = events.map(({ id }) => id).filter((id) => id !== "app.evhidden");

type Selection = { tasks?: any; events?: any }; // selectors of either kind

/** How a golden server differs from the first configuration. */
export interface GoldenConfig {
  readonly http?: NodeExposureHttpConfig;
  /** Default: every id that the recorded discovery lists. `null` registers no tunnel. */
  readonly exposes?: Selection | null;
  readonly withValidators?: boolean;
}

/** Starts the server of one recorded configuration, on a free port. */
export async function startGoldenServer({ http = {}, exposes, withValidators = false }: GoldenConfig) {
  const selection = exposes === undefined ? { tasks: listedTasks, events: listedEvents } : exposes;
  const tunnel = r
    .resource("app.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({ transport: "http" as const, mode: "server" as const, ...selection }))
    .build();
  const validators = [
    r
      .task("app.validators.throws")
      .tags([globals.tags.authValidator])
      .run(async () => {
        throw new Error("broken");
      })
      .build(),
    r
      .task("app.validators.tenant")
      .tags([globals.tags.authValidator])
      .run(async ({ headers }) => ({ ok: headers["x-tenant"] === "acme" }))
      .build(),
  ];
  const root = r
    .resource("app")
    .register([
      ...tasks,
      ...events,
      ...hooks,
      ...(selection === null ? [] : [tunnel]),
      ...(withValidators ? validators : []),
      generic,
      noFormat,
      teapot,
      requestContext,
      customContext,
      nodeExposure.with({
        http: { listen: { port: 0 }, limits: { json: { maxSize: 2000 } }, drain: { quietMs: 0 }, ...http },
      }),
    ])
    .build();
  return run(root, { shutdownHooks: false, errorBoundary: false });
}

/** A predicate and a definition, as the recorded "selectors" server has them. */
export const selectedByPredicate: Selection = {
  tasks: ({ id }: { id: string }) => id === "app.add" || id === "app.echo",
  events: [ev],
};
