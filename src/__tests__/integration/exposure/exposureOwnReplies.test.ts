import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { r, useExposureContext, type InputFile } from "../../../node/index";
import { watchUncaught } from "../../support/watchUncaught";
import { rejectionOf } from "../../support/failures";
import { formHeaders, formOf, manifestPart, sentinel, startExposure, type TestExposure } from "../../support/exposure";
import { soon } from "../../support/soon";

/** Tasks that take their reply over and then do not see it through: none of them may keep a caller waiting. */

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

/** A failing version leaves its caller waiting; disposal then cuts what it waits for. */
const limits = { closeMs: 50 };

const textOf = async (reply: Promise<Response>): Promise<string> => soon(reply.then((response) => response.text()));
const messages = ({ logs }: TestExposure): string[] => logs.map(({ message }) => String(message));
const dropped = "exposure.task.dropped: the task wrote its own response and also returned a value.";

describe("a task that piped into its response", () => {
  it("a task that piped into its response and then failed has it cut, also before the first byte", async () => {
    const fails = task("fails", () => {
      new PassThrough().pipe(useExposureContext().res);
      throw new Error("changed its mind");
    });
    await using exposure = await startExposure([fails], { limits });

    const error = await rejectionOf(textOf(exposure.post("/__runner/task/fails")));

    expect(error.message).toBe("fetch failed");
    expect(messages(exposure)).toContain("exposure.task.error");
  });

  it("a task that piped into its response what is missing from its form has it cut", async () => {
    const pipes = r
      .task("pipes")
      .run(async ({ file }: { file: InputFile<Readable> }) => void file.stream().pipe(useExposureContext().res))
      .build();
    await using exposure = await startExposure([pipes], { limits });
    const form = formOf(manifestPart({ file: sentinel("F1") }));

    const error = await rejectionOf(textOf(exposure.post("/__runner/task/pipes", form, formHeaders)));

    expect(error.message).toBe("fetch failed");
  });

  it.each<[string, (source: PassThrough) => unknown]>([
    [
      "which did not end it",
      async (source) => {
        source.pipe(useExposureContext().res, { end: false });
        const ended = once(source, "end");
        source.end("mine");
        await ended;
        return "done";
      },
    ],
    [
      "which it took out again",
      async (source) => {
        const { res } = useExposureContext();
        source.pipe(res);
        const passed = once(source, "data");
        source.write("mine");
        await passed;
        source.unpipe(res);
        return "done";
      },
    ],
  ])(
    "a task that piped into its response %s, has it ended, and a warning, when it returns a value",
    async (_what, pipe) => {
      await using exposure = await startExposure([task("pipe", () => pipe(new PassThrough()))], { limits });

      expect(await textOf(exposure.post("/__runner/task/pipe"))).toBe("mine");
      expect(messages(exposure)).toContain(dropped);
    },
  );

  it("a task that piped into its response something that fails has it cut, and the process spared", async () => {
    using calm = watchUncaught();
    const read = task("read", () => void createReadStream("/no/such/file").pipe(useExposureContext().res));
    await using exposure = await startExposure([read], { limits });

    const error = await rejectionOf(textOf(exposure.post("/__runner/task/read")));

    expect(error.message).toBe("fetch failed");
    expect(messages(exposure)).toContain("exposure.http.broken");
    expect(calm.seen).toEqual([]);
  });

  it("a task that piped into its response something that is destroyed has it cut", async () => {
    const destroys = task("destroys", () => {
      const source = new PassThrough();
      source.pipe(useExposureContext().res);
      source.destroy();
    });
    await using exposure = await startExposure([destroys], { limits });

    await expect(textOf(exposure.post("/__runner/task/destroys"))).rejects.toThrow("fetch failed");
  });

  it("a task that piped into its response something that fails may answer that itself", async () => {
    const handles = task("handles", () => {
      const { res } = useExposureContext();
      createReadStream("/no/such/file")
        .on("error", () => res.writeHead(404).end("none"))
        .pipe(res);
    });
    await using exposure = await startExposure([handles], { limits });

    const reply = await soon(exposure.post("/__runner/task/handles"));

    expect([reply.status, await reply.text()]).toEqual([404, "none"]);
    expect(messages(exposure)).not.toContain("exposure.http.broken");
  });

  it("a task that piped into its response something that fails may be followed by something else", async () => {
    const falls = task("falls", () => {
      const { res } = useExposureContext();
      createReadStream("/no/such/file")
        .on("error", () => {
          const other = new PassThrough();
          other.pipe(res);
          setImmediate(() => setImmediate(() => other.end("instead")));
        })
        .pipe(res);
    });
    await using exposure = await startExposure([falls], { limits });

    expect(await textOf(exposure.post("/__runner/task/falls"))).toBe("instead");
    expect(messages(exposure)).not.toContain("exposure.http.broken");
  });

  it("a task that piped into its response something that it takes away again may end as it likes", async () => {
    const takes = task("takes", async () => {
      const { res } = useExposureContext();
      const source = new PassThrough();
      source.pipe(res);
      source.unpipe(res);
      const closed = once(source, "close");
      source.destroy();
      await closed;
      setImmediate(() => setImmediate(() => res.end("done")));
    });
    await using exposure = await startExposure([takes], { limits });

    expect(await textOf(exposure.post("/__runner/task/takes"))).toBe("done");
    expect(messages(exposure)).not.toContain("exposure.http.broken");
  });
});
