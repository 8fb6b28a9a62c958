import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import type { InputFile, RunResult } from "../../index";
import { globals, nodeExposure, r, run, type NodeExposureHttpConfig } from "../../node";

export const token = "s3cret";

const tooExpensive = r
  .error<{ limit: number; since: Date }>("app.errors.tooExpensive")
  .format(({ limit }) => `Over ${limit}.`)
  .build();
const session = r.asyncContext<{ user: string }>("app.ctx.session").build();
const renamed = r.event<{ name: string; at?: Date }>("app.renamed").build();

/** What tasks tell the test that runs them. */
export const told = new EventEmitter();

async function digest(file: InputFile<Readable>) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of (await file.resolve()).stream as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    hash.update(chunk);
  }
  return { name: file.name, type: file.type, bytes, sha256: hash.digest("hex") };
}

interface Receipt {
  readonly left: InputFile<Readable>;
  readonly right: InputFile<Readable>;
  readonly when: Date;
}

const items = [
  tooExpensive,
  session,
  renamed,
  r
    .task("app.nextDay")
    .run(async ({ when, labels }: { when: Date; labels: Map<string, number> }) => ({
      when: new Date(when.getTime() + 86_400_000),
      labels: new Map([...labels, ["received", labels.size]]),
    }))
    .build(),
  r
    .task("app.upload")
    .run(async ({ file }: { file: InputFile<Readable> }) => digest(file))
    .build(),
  r
    .task("app.compare")
    .run(async ({ left, right, when }: Receipt) => ({
      left: await digest(left),
      right: await digest(right),
      year: when.getUTCFullYear(),
    }))
    .build(),
  r
    .task("app.buy")
    .run(async () => tooExpensive.throw({ limit: 10, since: new Date(0) }))
    .build(),
  r
    .task("app.whoami")
    .run(async () => {
      try {
        return session.use().user;
      } catch {
        return "nobody";
      }
    })
    .build(),
  r
    .task("app.hang")
    .run(async (_input, _deps, { signal }) => {
      const aborted = once(signal, "abort");
      told.emit("started");
      await aborted;
      told.emit("aborted");
    })
    .build(),
  r
    .task("app.count")
    .inputSchema({
      parse(input: unknown): { n: number } {
        if (typeof (input as { n?: unknown } | undefined)?.n === "number") return input as { n: number };
        throw Object.assign(new Error("invalid"), { issues: [{ path: ["n"], message: "must be a number" }] });
      },
    })
    .run(async ({ n }) => n)
    .build(),
  r
    .task("app.mark")
    .run(async (name: string) => void told.emit("marked", name))
    .build(),
  r
    .task("app.letters")
    .run(async (length: number) => "x".repeat(length))
    .build(),
  r
    .hook("app.hooks.renamed")
    .on(renamed)
    .run(async ({ data }) => {
      data.name = data.name.toUpperCase();
      data.at = new Date(0);
    })
    .build(),
];
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ transport: "http" as const, mode: "server" as const, tasks: () => true, events: [renamed] }))
  .build();

/** The application in which pages call tasks. */
export type App = RunResult<unknown>;

/** Starts it, with an exposure on a port of its own. */
export const serve = (http: NodeExposureHttpConfig): Promise<App> =>
  run(
    r
      .resource("app")
      .register([...items, tunnel, nodeExposure.with({ http: { listen: { port: 0 }, ...http } })])
      .build(),
    { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } },
  );

export function baseUrlOf(app: App): string {
  const { port } = app.getResourceValue(nodeExposure).server?.address() as AddressInfo;
  return `http://127.0.0.1:${port}/__runner`;
}
