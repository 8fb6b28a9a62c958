import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import type * as Runner from "../../node";
import { createDeferred, type Deferred } from "../support/deferred";

/**
 * What both packages offer, in the types of ours. One application for both: written for 5.x by its documentation, it has
 * to run unchanged here.
 */
export type Package = Pick<
  typeof Runner,
  | "createHttpClient"
  | "createHttpMixedClient"
  | "createHttpSmartClient"
  | "createNodeFile"
  | "globals"
  | "nodeExposure"
  | "r"
  | "run"
  | "Serializer"
  | "useExposureContext"
> &
  Partial<Pick<typeof Runner, "createExposureFetch">>;

/** The published packages, by their names here. */
export type Published = "runner-52" | "runner-55";

export const token = "interop";

/** Errors and contexts that both sides know. */
export function createShared({ r }: Package) {
  return {
    soldOut: r
      .error<{ sku: string; since: Date }>("interop.errors.soldOut")
      .format(({ sku }) => `No ${sku} left`)
      .build(),
    visitor: r.asyncContext<{ name: string; since: Date }>("interop.visitor").build(),
  };
}

export type Shared = ReturnType<typeof createShared>;

export interface ServedInterop {
  readonly baseUrl: string;
  dispose(): Promise<void>;
}

/** Serves the application on a port of its own. */
export async function serveInterop(
  runner: Package,
  shared: Shared,
  http?: Runner.NodeExposureHttpConfig,
): Promise<ServedInterop> {
  const { globals, nodeExposure, r, run } = runner;
  const listed = [...createTasks(runner, shared), ...createEvents(runner)];
  const tunnel = r
    .resource("interop.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({
      mode: "server" as const,
      transport: "http" as const,
      tasks: listed.filter(({ id }) => id.startsWith("interop.tasks.")).map(({ id }) => id),
      events: ["interop.events.counted"],
    }))
    .build();
  const unlisted = r
    .task("interop.tasks.unlisted")
    .run(async () => "never seen")
    .build();
  const exposure = nodeExposure.with({
    http: { listen: { port: 0 }, auth: { token }, limits: { multipart: { fileSize: 64 * 1024 * 1024 } }, ...http },
  });
  const root = r
    .resource("interop")
    .register([...listed, unlisted, shared.soldOut, shared.visitor, tunnel, exposure])
    .build();

  const app = await run(root, { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } });
  const address = app.getResourceValue(nodeExposure).server?.address();
  if (typeof address !== "object" || address === null) throw new Error("The exposure does not listen.");
  return { baseUrl: `http://127.0.0.1:${address.port}/__runner`, dispose: () => app.dispose() };
}

interface Upload {
  readonly file: Runner.InputFile<Readable>;
  readonly note?: unknown;
}

function createTasks({ r, useExposureContext }: Package, { soldOut, visitor }: Shared) {
  const task = <I>(name: string, body: (input: I) => unknown) =>
    r
      .task(`interop.tasks.${name}`)
      .run(async (input: I) => body(input))
      .build();
  const waits = new Map<string, { arrived: Deferred; aborted: Deferred }>();
  const waitOf = (call: string) => {
    const known = waits.get(call) ?? { arrived: createDeferred(), aborted: createDeferred() };
    waits.set(call, known);
    return known;
  };
  return [
    task("echo", (input) => input),
    task("tagOf", (input) => Object.prototype.toString.call(input)),
    task("keysOf", (input: object) => Object.keys(input)),
    task("whoami", () => visitor.use()),
    task("sell", ({ sku, since }: { sku: string; since: Date }) => soldOut.throw({ sku, since })),
    task("crash", () => {
      throw new Error("password=hunter2");
    }),
    r
      .task("interop.tasks.order")
      .inputSchema({ parse: parseOrder })
      .run(async ({ quantity }) => quantity)
      .build(),
    task("store", async ({ file, note }: Upload) => {
      const { stream } = await file.resolve();
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of stream) {
        hash.update(chunk as Buffer);
        bytes += (chunk as Buffer).length;
      }
      return { name: file.name, type: file.type, bytes, sha256: hash.digest("hex"), noteIsDate: note instanceof Date };
    }),
    task("invert", () => useExposureContext().req.pipe(inverting())),
    task("lines", () => Readable.from(["one\n", "two\n"])),
    task("wait", (call: string) => {
      const { signal } = useExposureContext();
      const { arrived, aborted } = waitOf(call);
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(signal.reason as Error);
        });
        arrived.resolve();
      });
    }),
    task("arrivalOf", async (call: string) => {
      await waitOf(call).arrived.promise;
      return "arrived";
    }),
    task("hasArrived", (call: string) => waits.has(call)),
    task("abortOf", async (call: string) => {
      await waitOf(call).aborted.promise;
      return "aborted";
    }),
  ];
}

function parseOrder(input: unknown): { quantity: number } {
  const { quantity } = input as { quantity?: unknown };
  if (typeof quantity === "number" && quantity > 0) return { quantity };
  throw new Error("quantity must be positive");
}

function createEvents({ r }: Package) {
  const counted = r.event<{ count: number; at?: Date }>("interop.events.counted").build();
  return [
    counted,
    r
      .hook("interop.hooks.count")
      .on(counted)
      .run(async ({ data }) => {
        data.count += 1;
        data.at = new Date(7);
      })
      .build(),
  ];
}

const inverting = (): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, invert(chunk)),
  });

export const invert = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => ~byte));
