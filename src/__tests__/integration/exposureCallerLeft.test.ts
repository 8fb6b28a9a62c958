import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { r } from "../../node/index";
import { rawPost, startExposure } from "../support/exposure";

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

  it("is no error when it fails as platform functions do that are given the signal", async () => {
    const task = waitFor("delay", (signal) => delay(60_000, undefined, { signal }));

    expect(await errorsAfterLeaving(task)).toEqual([]);
  });

  it("is no error when it throws the signal's reason", async () => {
    const task = waitFor("reason", async (signal) => {
      await once(signal, "abort");
      signal.throwIfAborted();
    });

    expect(await errorsAfterLeaving(task)).toEqual([]);
  });

  it("is one when it fails in another way", async () => {
    const task = waitFor("another", async (signal) => {
      await once(signal, "abort");
      throw new Error("the cleanup failed");
    });

    expect(await errorsAfterLeaving(task)).toEqual(["exposure.task.error"]);
  });
});

it("answers 500 to an abort that is not the caller's", async () => {
  const task = r
    .task("own")
    .run(async () => fetch("http://127.0.0.1:1", { signal: AbortSignal.abort() }).then(() => "never"))
    .build();
  await using exposure = await startExposure([task]);

  const reply = await exposure.post("/__runner/task/own");

  expect(reply.status).toBe(500);
  expect(exposure.logs.map(({ message }) => message)).toContain("exposure.task.error");
});
