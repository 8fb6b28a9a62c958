import { once } from "node:events";
import { readdir, readlink } from "node:fs/promises";
import { PassThrough, type Readable } from "node:stream";
import { r, readInputFileToBuffer, type InputFile } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import {
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  sentinel,
  startExposure,
  type Part,
} from "../../support/exposure";
import { soon } from "../../support/soon";

type File = InputFile<Readable>;

const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();
const size = r
  .task("size")
  .run(async ({ file }: { file: File }) => (await readInputFileToBuffer(file)).length)
  .build();

const errorOf = async (reply: Response): Promise<unknown> => ((await reply.json()) as { error: unknown }).error;

/** Files that hold what waits to be read; they have no name any more. */
async function spoolCount(): Promise<number> {
  const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(links)).filter((target) => target.includes("runner-upload-")).length;
}

/** The system closes them in its own time. */
async function spoolsAreDownTo(count: number): Promise<void> {
  while ((await spoolCount()) > count) await new Promise(setImmediate);
}

/** More than every buffer between the socket and a task. */
const big = Buffer.alloc(3 * 1024 * 1024, "x");
const bigForm = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", big));

describe("a file that is still open when its task has answered", () => {
  const limits = { multipart: { memory: 64 * 1024 }, bodyIdleMs: 100, closeMs: 50 };

  it("a file that is still open when its task has answered is released when it is not read on", async () => {
    const closed = createDeferred();
    const forget = r
      .task("forget")
      .run(async ({ file }: { file: File }) => {
        file.stream().once("close", closed.resolve).pipe(new PassThrough());
      })
      .build();
    await using exposure = await startExposure([forget], { limits });
    const before = await spoolCount();

    await exposure.post("/__runner/task/forget", bigForm, formHeaders);
    await soon(closed.promise);

    await spoolsAreDownTo(before);
  });

  it("a file that is still open when its task has answered may be read on in the background", async () => {
    const [read, answered] = [createDeferred<number>(), createDeferred()];
    const background = r
      .task("background")
      .run(async ({ file }: { file: File }) => {
        const chunks = file.stream()[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
        const first = ((await chunks.next()).value as Buffer).length;
        const readOn = async (): Promise<number> => {
          let bytes = first;
          await answered.promise;
          for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) bytes += chunk.length;
          return bytes;
        };
        void readOn().then(read.resolve);
        return "accepted";
      })
      .build();
    await using exposure = await startExposure([background], { limits: { ...limits, bodyIdleMs: 5000 } });

    const reply = await exposure.post("/__runner/task/background", bigForm, formHeaders);
    answered.resolve();

    expect(reply.status).toBe(200);
    expect(await soon(read.promise)).toBe(big.length);
  });

  it("a file that is still open when its task has answered fails a reader that does not read on", async () => {
    const failed = createDeferred<Error>();
    const pause = r
      .task("pause")
      .run(async ({ file }: { file: File }) => {
        const stream = file.stream();
        stream.once("error", failed.resolve);
        await once(stream, "readable");
        stream.read(1);
      })
      .build();
    await using exposure = await startExposure([pause], { limits });

    await exposure.post("/__runner/task/pause", bigForm, formHeaders);

    expect((await soon(failed.promise)).message).toBe("The call of this file was answered, and the file not read on.");
  });

  it("a file that is still open when its task has answered is released where the reply fails for another reason", async () => {
    const closed = createDeferred();
    const forget = r
      .task("forget")
      .run(async ({ file }: { file: File }) => {
        file.stream().once("close", closed.resolve).pipe(new PassThrough());
      })
      .build();
    // It cannot be written into a header, which shows with the reply.
    const origin = (): string => "no\nheader";
    await using exposure = await startExposure([forget], { limits, cors: { origin } });

    const reply = await exposure.post("/__runner/task/forget", bigForm, formHeaders);

    expect(reply.status).toBe(500);
    await soon(closed.promise);
  });
});

describe("the name of a part", () => {
  const limits = { multipart: { fieldNameSize: 20 } };

  it.each<[string, Part, number]>([
    ["a field at the limit", { name: "é".repeat(10), content: "" }, 200],
    ["a field over the limit", { name: "é".repeat(10) + "x", content: "" }, 413],
    ["a file at the limit", filePart("x".repeat(15), "x"), 200],
    ["a file over the limit", filePart("x".repeat(16), "x"), 413],
  ])("the name of a part is measured in bytes: of %s", async (_which, part, status) => {
    await using exposure = await startExposure([echo], { limits });

    const reply = await exposure.post("/__runner/task/echo", formOf(part, manifestPart(1)), formHeaders);

    expect(reply.status).toBe(status);
    if (status === 413) {
      expect(await errorOf(reply)).toEqual({ message: "Field limit exceeded", code: "PAYLOAD_TOO_LARGE" });
    }
  });
});

describe("a manifest without a filename", () => {
  const manifest = (input: unknown, type: string): Part => ({ ...manifestPart(input), type });

  it.each(["application/octet-stream", "application/json", "text/plain"])(
    "a manifest without a filename is one as %s",
    async (type) => {
      await using exposure = await startExposure([size]);
      const form = formOf(manifest({ file: sentinel("F1"), text: "é文" }, type), filePart("F1", "abc"));

      const reply = await exposure.post("/__runner/task/size", form, formHeaders);

      expect(await reply.json()).toEqual({ ok: true, result: 3 });
    },
  );

  it("a manifest without a filename is UTF-8 as bytes, too, and counts as no file", async () => {
    await using exposure = await startExposure([echo], { limits: { multipart: { files: 1, fileSize: 5 } } });
    const form = formOf(manifest({ text: "é文" }, "application/octet-stream"), filePart("F1", "abc"));

    const reply = await exposure.post("/__runner/task/echo", form, formHeaders);

    expect(await reply.json()).toEqual({ ok: true, result: { text: "é文" } });
  });

  it("a manifest without a filename as bytes has the limit of a field", async () => {
    await using exposure = await startExposure([echo], { limits: { multipart: { fieldSize: 20 } } });
    const post = async (input: string) => {
      const form = formOf(manifest(input, "application/octet-stream"));
      return (await exposure.post("/__runner/task/echo", form, formHeaders)).status;
    };

    // {"input":""} has twelve.
    expect([await post("x".repeat(8)), await post("x".repeat(9))]).toEqual([200, 413]);
  });

  it("a manifest without a filename given twice is refused, whatever it comes as", async () => {
    await using exposure = await startExposure([echo]);
    const form = formOf(manifestPart(1), manifest(1, "application/octet-stream"));

    const reply = await exposure.post("/__runner/task/echo", form, formHeaders);

    expect(await errorOf(reply)).toEqual({ message: "Invalid manifest", code: "INVALID_MULTIPART" });
  });

  it("a manifest without a filename leaves the limit of files as it is", async () => {
    await using exposure = await startExposure([echo], { limits: { multipart: { files: 1 } } });
    const form = formOf(manifest(1, "application/octet-stream"), filePart("A", "a"), filePart("B", "b"));

    const reply = await exposure.post("/__runner/task/echo", form, formHeaders);

    expect(await errorOf(reply)).toEqual({ message: "Files limit exceeded", code: "PAYLOAD_TOO_LARGE" });
  });
});
