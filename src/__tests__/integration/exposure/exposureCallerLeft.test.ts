import { EventEmitter, once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { globals, nodeExposure, r, run, useExposureContext, type InputFile } from "../../../node/index";
import {
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  rawPost,
  sentinel,
  startExposure,
  token,
} from "../../support/exposure";

describe("a task that stops because its caller left", () => {
  const stopping = new EventEmitter();

  /** Waits for the caller to leave, and fails as it does. */
  const waitFor = (id: string, fail: (signal: AbortSignal) => Promise<unknown>) =>
    r
      .task(id)
      .run(async (_input: void, _dependencies, { signal }) => {
        stopping.emit("started");
        try {
          return await fail(signal);
        } finally {
          setImmediate(() => stopping.emit("stopped"));
        }
      })
      .build();

  /** Calls a task, leaves, and gives what was logged of it as an error. */
  async function errorsAfterLeaving(task: ReturnType<typeof waitFor>): Promise<string[]> {
    await using exposure = await startExposure([task]);
    const started = once(stopping, "started");
    const stopped = once(stopping, "stopped");
    const connection = exposure.connect();
    connection.write(rawPost(`/__runner/task/${task.id}`, "{}"));
    await started;
    connection.socket.destroy();
    await stopped;
    return exposure.logs.filter(({ level }) => level === "error").map(({ message }) => String(message));
  }

  it("a task that stops because its caller left is no error when it fails as platform functions do that are given the signal", async () => {
    const task = waitFor("delay", (signal) => delay(60_000, undefined, { signal }));

    expect(await errorsAfterLeaving(task)).toEqual([]);
  });

  it("a task that stops because its caller left is no error when it throws the signal's reason", async () => {
    const task = waitFor("reason", async (signal) => {
      await once(signal, "abort");
      signal.throwIfAborted();
    });

    expect(await errorsAfterLeaving(task)).toEqual([]);
  });

  it("a task that stops because its caller left is one when it fails in another way", async () => {
    const task = waitFor("another", async (signal) => {
      await once(signal, "abort");
      throw new Error("the cleanup failed");
    });

    expect(await errorsAfterLeaving(task)).toEqual(["exposure.task.error"]);
  });
});

it("an exposure answers 500 to an abort that is not the caller's", async () => {
  const task = r
    .task("own")
    .run(async () => fetch("http://127.0.0.1:1", { signal: AbortSignal.abort() }).then(() => "never"))
    .build();
  await using exposure = await startExposure([task]);

  const reply = await exposure.post("/__runner/task/own");

  expect(reply.status).toBe(500);
  expect(exposure.logs.map(({ message }) => message)).toContain("exposure.task.error");
});

describe("a caller that leaves in the middle of what a task reads", () => {
  const read = new EventEmitter();

  /** Runs with the default report, which `startExposure` silences. */
  async function levelsAfterLeaving(body: (input: { file?: InputFile<Readable> }) => Promise<unknown>, raw: string) {
    const task = r
      .task("reads")
      .run(async (input: { file?: InputFile<Readable> } | undefined) => {
        read.emit("started");
        try {
          return await body(input ?? {});
        } finally {
          setImmediate(() => setImmediate(() => read.emit("stopped")));
        }
      })
      .build();
    const tunnel = r
      .resource("tunnel")
      .tags([globals.tags.tunnel])
      .init(async () => ({ mode: "server", tasks: [task] }))
      .build();
    const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } });
    const root = r.resource("app").register([task, tunnel, exposure]).build();
    await using app = await run(root, { shutdownHooks: false, errorBoundary: false });
    const levels: string[] = [];
    app.logger.onLog(({ level }) => void levels.push(level));
    const { port } = app.getResourceValue(nodeExposure).server?.address() as AddressInfo;
    const started = once(read, "started");
    const stopped = once(read, "stopped");
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).write(raw);
    await started;
    socket.resetAndDestroy();
    await stopped;
    return levels.filter((level) => level !== "trace");
  }

  const drain = async (stream: AsyncIterable<unknown>): Promise<void> => {
    for await (const chunk of stream) void chunk;
  };

  it.each([
    [
      "a file",
      async ({ file }: { file?: InputFile<Readable> }) => drain(file?.stream() as Readable),
      rawPost("/__runner/task/reads", formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x")).toString(), [
        `Content-Type: ${formHeaders["content-type"]}`,
      ]).slice(0, -10),
    ],
    [
      "octets",
      async () => drain(useExposureContext().req),
      rawPost("/__runner/task/reads", "some bytes", ["Content-Type: application/octet-stream"]).slice(0, -5),
    ],
  ])("a caller that leaves in the middle of what a task reads is no mistake: %s", async (_what, body, raw) => {
    expect(await levelsAfterLeaving(body, raw)).toEqual(["debug"]);
  });
});
