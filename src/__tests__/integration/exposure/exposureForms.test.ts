import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { r, readInputFileToBuffer, useExposureContext, type InputFile } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
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
import { uploadFolders } from "../../support/uploadFolders";

type File = InputFile<Readable>;

/** More than every buffer between the socket and a task, so that whoever is not read blocks what comes behind. */
const big = (letter: string) => Buffer.alloc(3 * 1024 * 1024, letter);
const small = { multipart: { memory: 64 * 1024 } };
const sizeOf = async (file: File): Promise<number> => (await readInputFileToBuffer(file)).length;

const ignore = r
  .task("ignore")
  .run(async (_input: { file: File }) => "ignored")
  .build();
const size = r
  .task("size")
  .run(async ({ file }: { file: File }) => sizeOf(file))
  .build();
const backwards = r
  .task("backwards")
  .run(async ({ a, b }: { a: File; b: File }) => {
    const second = await readInputFileToBuffer(b);
    const first = await readInputFileToBuffer(a);
    return [first.length, first.every((byte) => byte === 97), second.length, second.every((byte) => byte === 98)];
  })
  .build();
const echo = r
  .task("echo")
  .run(async ({ file }: { file: File }) => file.stream())
  .build();
const inspect = r
  .task("inspect")
  .run(async ({ file, ...rest }: { file: File; when: Date; seen: Map<string, number>; bytes: Buffer }) => ({
    size: await sizeOf(file),
    when: rest.when instanceof Date,
    seen: rest.seen.get("k"),
    bytes: Buffer.isBuffer(rest.bytes) && rest.bytes.toString(),
  }))
  .build();

const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const resultOf = async (reply: Response): Promise<unknown> => ((await reply.json()) as { result: unknown }).result;
const codeOf = async (reply: Response): Promise<unknown> =>
  ((await reply.json()) as { error: { code: string } }).error.code;

describe("no order, size or mistake of a form leaves a request unanswered", () => {
  it("an exposure that receives a form answers when the task never reads a file", async () => {
    await using exposure = await startExposure([ignore], { limits: small });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", big("x")));

    const reply = await exposure.post("/__runner/task/ignore", form, formHeaders);

    expect(await resultOf(reply)).toBe("ignored");
  });

  it("an exposure that receives a form puts a file aside that comes before the manifest", async () => {
    await using exposure = await startExposure([size], { limits: small });
    const form = formOf(filePart("F1", big("x")), manifestPart({ file: sentinel("F1") }));

    const reply = await exposure.post("/__runner/task/size", form, formHeaders);

    expect(await resultOf(reply)).toBe(3 * 1024 * 1024);
  });

  it("an exposure that receives a form puts a file aside that comes before the one being read, bytes and order intact", async () => {
    await using exposure = await startExposure([backwards], { limits: small });
    const form = formOf(
      manifestPart({ a: sentinel("A"), b: sentinel("B") }),
      filePart("A", big("a")),
      filePart("B", big("b")),
    );

    const reply = await exposure.post("/__runner/task/backwards", form, formHeaders);

    expect(await resultOf(reply)).toEqual([3 * 1024 * 1024, true, 3 * 1024 * 1024, true]);
  });

  it("an exposure that receives a form drops files that the manifest does not name", async () => {
    await using exposure = await startExposure([size], { limits: small });
    const form = formOf(
      filePart("before", big("x")),
      manifestPart({ file: sentinel("F1") }),
      filePart("after", big("x")),
      filePart("F1", "yes"),
    );

    const reply = await exposure.post("/__runner/task/size", form, formHeaders);

    expect(await resultOf(reply)).toBe(3);
  });

  it("an exposure that receives a form answers when the task gives a file up halfway", async () => {
    const glance = r
      .task("glance")
      .run(async ({ file }: { file: File }) => {
        for await (const chunk of file.stream()) return (chunk as Buffer).length > 0;
        return false;
      })
      .build();
    await using exposure = await startExposure([glance], { limits: small });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", big("x")));

    const reply = await exposure.post("/__runner/task/glance", form, formHeaders);

    expect(await resultOf(reply)).toBe(true);
  });

  it("an exposure that receives a form starts a streamed reply before the form has arrived", async () => {
    await using exposure = await startExposure([echo], { limits: small });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", big("x")));

    const reply = await exposure.post("/__runner/task/echo", form, formHeaders);

    expect((await reply.arrayBuffer()).byteLength).toBe(3 * 1024 * 1024);
  });

  it("an exposure that receives a form lets a task answer by itself from a file", async () => {
    const pipe = r
      .task("pipe")
      .run(async ({ file }: { file: File }) => void file.stream().pipe(useExposureContext().res))
      .build();
    await using exposure = await startExposure([pipe], { limits: small });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", big("x")));

    const reply = await exposure.post("/__runner/task/pipe", form, formHeaders);

    expect((await reply.arrayBuffer()).byteLength).toBe(3 * 1024 * 1024);
  });

  it("an exposure that receives a form does not wait for a task whose form has broken", async () => {
    const stuck = r
      .task("stuck")
      .run(async (_input: { file: File }) => new Promise(() => {}))
      .build();
    await using exposure = await startExposure([stuck]);
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x"));

    const reply = await exposure.post("/__runner/task/stuck", form.subarray(0, -10), formHeaders);

    expect([reply.status, await codeOf(reply)]).toEqual([400, "INVALID_MULTIPART"]);
  });

  it("an exposure that receives a form fails the reader of a file that breaks off, and tells the task by its signal", async () => {
    const seen = createDeferred<[message: string, aborted: boolean]>();
    const read = r
      .task("read")
      .run(async ({ file }: { file: File }) => {
        const { signal } = useExposureContext();
        await readInputFileToBuffer(file).catch((error: Error) => seen.resolve([error.message, signal.aborted]));
      })
      .build();
    await using exposure = await startExposure([read]);
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x"));

    await exposure.post("/__runner/task/read", form.subarray(0, -10), formHeaders);

    expect(await seen.promise).toEqual(["Invalid multipart payload", true]);
  });

  it("an exposure that receives a form does not start a task for a form that is broken by the time its input is known", async () => {
    let runs = 0;
    const count = r
      .task("count")
      .run(async (_input: { file: File }) => (runs += 1))
      .build();
    await using exposure = await startExposure([count], { limits: { multipart: { fileSize: 1 } } });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "too long"));

    const reply = await exposure.post("/__runner/task/count", form, formHeaders);

    expect([reply.status, runs]).toEqual([413, 0]);
  });

  it("an exposure that receives a form tells a task of a form that broke before it looked at its signal", async () => {
    const started = createDeferred();
    const look = createDeferred();
    const seen = createDeferred<boolean>();
    const late = r
      .task("late")
      .run(async (_input: { file: File }, _dependencies, context) => {
        started.resolve();
        await look.promise;
        seen.resolve(context.signal.aborted);
      })
      .build();
    await using exposure = await startExposure([late]);
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x")).toString();
    const connection = exposure.connect();
    connection.write(
      rawPost("/__runner/task/late", form, [`Content-Type: ${formHeaders["content-type"]}`]).slice(0, -10),
    );
    await started.promise;

    connection.write("x".repeat(10));
    await connection.until(/INVALID_MULTIPART/);
    look.resolve();

    expect(await seen.promise).toBe(true);
  });

  it("an exposure that receives a form puts what is wrong with the form before the task's own failure", async () => {
    const fail = r
      .task("fail")
      .run(async (_input: { file: File }) => {
        throw new Error("later");
      })
      .build();
    await using exposure = await startExposure([fail]);

    const reply = await exposure.post(
      "/__runner/task/fail",
      formOf(manifestPart({ file: sentinel("F1") })),
      formHeaders,
    );

    expect([reply.status, await codeOf(reply)]).toEqual([500, "MISSING_FILE_PART"]);
  });
});

describe("files that are read at the pace of their readers", () => {
  const save = r
    .task("save")
    .run(async ({ files }: { files: File[] }) => {
      const dir = await mkdtemp(join(tmpdir(), "runner-pace-"));
      try {
        const hashes: string[] = [];
        for (const file of files) hashes.push(sha256Of(await readFile((await file.toTempFile(dir)).path)));
        return hashes;
      } finally {
        await rm(dir, { recursive: true });
      }
    })
    .build();

  it.each([
    ["one", [3]],
    ["two, one after the other", [5, 6]],
    ["many small ones behind a large one", [3, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 2]],
  ])(
    "files that are read at the pace of their readers arrive whole, however far behind they are: %s",
    async (_what, sizes) => {
      await using exposure = await startExposure([save]);
      const contents = sizes.map((size) => randomBytes(size * 1024 * 1024));
      const ids = contents.map((_content, index) => `F${index}`);
      const form = formOf(
        manifestPart({ files: ids.map(sentinel) }),
        ...contents.map((content, index) => filePart(`F${index}`, content)),
      );

      const reply = await exposure.post("/__runner/task/save", form, formHeaders);

      expect(await resultOf(reply)).toEqual(contents.map(sha256Of));
    },
  );
});

describe("limits of forms", () => {
  it("limits of forms keep the other defaults when one of them is set", async () => {
    await using exposure = await startExposure([ignore], { limits: { multipart: { fileSize: 5 } } });
    const files = Array.from({ length: 11 }, (_, index) => filePart(`F${index}`, "x"));

    const reply = await exposure.post("/__runner/task/ignore", formOf(manifestPart({}), ...files), formHeaders);

    expect([reply.status, await codeOf(reply)]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
  });

  it.each([
    ["at", 4, 200],
    ["over", 5, 413],
  ])("limits of forms take a file %s the limit for what it is", async (_where, length, status) => {
    await using exposure = await startExposure([size], { limits: { multipart: { fileSize: 4 } } });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x".repeat(length)));

    const reply = await exposure.post("/__runner/task/size", form, formHeaders);

    expect(reply.status).toBe(status);
  });

  it("limits of forms count parts of all kinds, and refuse the first beyond", async () => {
    await using exposure = await startExposure([ignore], { limits: { multipart: { parts: 2 } } });
    const post = (...names: string[]) => {
      const fields = names.map((name) => ({ name, content: "1" }));
      return exposure.post("/__runner/task/ignore", formOf(...fields, manifestPart({})), formHeaders);
    };

    expect((await post("a")).status).toBe(200);
    const reply = await post("a", "b");

    expect(await reply.json()).toEqual({
      ok: false,
      error: { message: "Parts limit exceeded", code: "PAYLOAD_TOO_LARGE" },
    });
  });
});

describe("what a task receives", () => {
  it("what a task receives with a form is intact beside a file: dates, maps and bytes", async () => {
    await using exposure = await startExposure([inspect]);
    const input = {
      file: sentinel("F1"),
      when: { __type: "Date", value: "1970-01-01T00:00:00.000Z" },
      seen: { __type: "Map", value: [["k", 1]] },
      bytes: { __type: "Buffer", value: [104, 105] },
    };

    const reply = await exposure.post(
      "/__runner/task/inspect",
      formOf(manifestPart(input), filePart("F1", "abc")),
      formHeaders,
    );

    expect(await resultOf(reply)).toEqual({ size: 3, when: true, seen: 1, bytes: "hi" });
  });

  it("what a task receives with a form names parts in UTF-8", async () => {
    const name = r
      .task("name")
      .run(async ({ file }: { file: File }) => file.name)
      .build();
    await using exposure = await startExposure([name]);
    const part = { name: "file:é", filename: "naïve 文.txt", content: "x" };

    const reply = await exposure.post(
      "/__runner/task/name",
      formOf(manifestPart({ file: { $runnerFile: "File", id: "é" } }), part),
      formHeaders,
    );

    expect(await resultOf(reply)).toBe("naïve 文.txt");
  });

  it("what a task receives with a form gives two places that name one file the same handle", async () => {
    const same = r
      .task("same")
      .run(async ({ a, b }: { a: File; b: File }) => a === b && (await sizeOf(a)))
      .build();
    await using exposure = await startExposure([same]);
    const form = formOf(manifestPart({ a: sentinel("F1"), b: sentinel("F1") }), filePart("F1", "abc"));

    const reply = await exposure.post("/__runner/task/same", form, formHeaders);

    expect(await resultOf(reply)).toBe(3);
  });

  it("what a task receives with a form writes a file to disk under a name made from its own", async () => {
    const dir = await mkdtemp(join(tmpdir(), "runner-test-"));
    const save = r
      .task("save")
      .run(async ({ file }: { file: File }) => file.toTempFile(join(dir, "new")))
      .build();
    await using exposure = await startExposure([save]);
    const input = { file: { $runnerFile: "File", id: "F1", meta: { name: "we ird/..name é.txt" } } };

    const reply = await exposure.post(
      "/__runner/task/save",
      formOf(manifestPart(input), filePart("F1", "héllo")),
      formHeaders,
    );

    const { path, bytesWritten } = (await resultOf(reply)) as { path: string; bytesWritten: number };
    expect(bytesWritten).toBe(6);
    expect(await readFile(path, "utf8")).toBe("héllo");
    expect(path.slice(dir.length)).toMatch(/^\/new\/we_ird_\.\.name__\.txt\.\d{13}\.[0-9a-z]{8}$/);
    await rm(dir, { recursive: true });
  });
});

const openFiles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

it("an exposure leaves no file and no handle behind uploads that are aborted", async () => {
  await using exposure = await startExposure([backwards], { limits: { multipart: { memory: 0 } } });
  const head = formOf(manifestPart({ a: sentinel("A"), b: sentinel("B") }), filePart("A", Buffer.alloc(20_000)));
  const before = await openFiles();

  for (let batch = 0; batch < 25; batch++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const connection = exposure.connect();
        connection.write(
          `POST /__runner/task/backwards HTTP/1.1\r\nHost: localhost\r\nx-runner-token: ${token}\r\n` +
            `Content-Type: ${formHeaders["content-type"]}\r\nContent-Length: 100000\r\n\r\n`,
        );
        connection.write(head.subarray(0, -8));
        // The write has reached the server's side of the loopback before the reset does.
        await new Promise<void>((resolve) => connection.socket.end(resolve));
        connection.socket.destroy();
      }),
    );
  }
  await exposure.app.dispose();

  expect(await uploadFolders()).toEqual([]);
  expect(await openFiles()).toBeLessThanOrEqual(before);
}, 60_000);
