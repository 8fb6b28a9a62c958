import type { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { r, readInputFileToBuffer, type InputFile, type NodeExposureHttpConfig } from "../../../node/index";
import {
  boundary,
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  rawPost,
  sentinel,
  startExposure,
  token,
} from "../../support/exposure";
import { soon } from "../../support/soon";

const upload = r
  .task("upload")
  .run(async ({ file }: { file?: InputFile<Readable> }) => file && (await readInputFileToBuffer(file)).toString())
  .build();

const start = (http: NodeExposureHttpConfig = {}) =>
  startExposure([upload], { ...http, limits: { closeMs: 50, ...http.limits } });

const chunkedHead = [
  "POST /__runner/task/upload HTTP/1.1",
  "Host: localhost",
  `x-runner-token: ${token}`,
  `Content-Type: ${formHeaders["content-type"]}`,
  "Transfer-Encoding: chunked",
  "",
  "",
].join("\r\n");
const chunk = (bytes: string | Buffer): string => `${bytes.length.toString(16)}\r\n${bytes.toString("latin1")}\r\n`;
const statusesOf = (received: string): string[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => String(status));
const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "bytes"));

describe("All bytes of a form count against its total size", () => {
  const totalSize = 64 * 1024;
  const many = "x".repeat(1024);
  const refusing: [string, Buffer, NodeExposureHttpConfig?][] = [
    ["a preamble", Buffer.concat([Buffer.from(many.repeat(65)), form])],
    ["parts without a name", Buffer.from(`--${boundary}\r\nX-Pad: 1\r\n\r\n${many}\r\n`.repeat(65) + form.toString())],
    [
      "headers of parts",
      Buffer.from(
        Array.from({ length: 6 }, () => `--${boundary}\r\nX-Pad: ${"p".repeat(15_000)}\r\n\r\n\r\n`).join("") +
          form.toString(),
      ),
    ],
    ["files that no sentinel names", formOf(manifestPart({}), filePart("F2", many.repeat(65)))],
    ["other fields", formOf(manifestPart({}), { name: "other", content: many.repeat(65) })],
    [
      "its files and fields together",
      formOf(manifestPart({}), { name: "a", content: many.repeat(40) }, filePart("F1", many.repeat(30))),
    ],
  ];

  it.each(refusing)("All bytes of a form count against its total size %s", async (_what, body) => {
    await using exposure = await start({ limits: { multipart: { totalSize } } });

    const reply = await soon(exposure.post("/__runner/task/upload", body, formHeaders));

    expect([reply.status, await reply.json()]).toEqual([
      413,
      { ok: false, error: { message: "Form size limit exceeded", code: "PAYLOAD_TOO_LARGE" } },
    ]);
  });

  it.each(refusing)("All bytes of a form count against its total size %s, once decoded", async (_what, body) => {
    await using exposure = await start({ limits: { multipart: { totalSize } }, compression: { requests: true } });

    const headers = { ...formHeaders, "content-encoding": "gzip" };
    const reply = await soon(exposure.post("/__runner/task/upload", gzipSync(body), headers));

    expect([reply.status, await reply.json()]).toMatchObject([413, { error: { code: "PAYLOAD_TOO_LARGE" } }]);
  });

  it("All bytes of a form count against its total size and a form of exactly that size is taken", async () => {
    await using exposure = await start({ limits: { multipart: { totalSize: form.length } } });

    expect((await exposure.post("/__runner/task/upload", form, formHeaders)).status).toBe(200);
  });

  it("All bytes of a form count against its total size which is what the other limits allow, and a mebibyte, by default", async () => {
    const multipart = { files: 1, fileSize: 1024, fields: 1, fieldSize: 1024 };
    await using exposure = await start({ limits: { multipart } });
    const padded = (bytes: number) => Buffer.concat([Buffer.alloc(bytes, "x"), Buffer.from("\r\n"), form]);

    const replies = [1024 * 1024, 1024 * 1024 + 2048].map((bytes) =>
      exposure.post("/__runner/task/upload", padded(bytes), formHeaders),
    );

    expect((await soon(Promise.all(replies))).map(({ status }) => status)).toEqual([200, 413]);
  });

  it("All bytes of a form count against its total size endless ones before the first boundary are refused while they are sent", async () => {
    await using exposure = await start({ limits: { multipart: { totalSize } } });
    const connection = exposure.connect();
    connection.write(chunkedHead);
    const pump = setInterval(() => connection.write(chunk(many)), 1);

    const received = await soon(connection.until(/exceeded/));
    clearInterval(pump);

    expect(statusesOf(received)).toEqual(["413"]);
  });
});

describe("What comes after the last boundary of a form", () => {
  it("What comes after the last boundary of a form is not waited for, though the body goes on", async () => {
    await using exposure = await start();
    const connection = exposure.connect();

    connection.write(chunkedHead + chunk(form));
    const received = await soon(connection.until(/result/));

    expect(statusesOf(received)).toEqual(["200"]);
    expect(received).toContain('{"ok":true,"result":"bytes"}');
    connection.socket.destroy();
  });

  it("What comes after the last boundary of a form is thrown away, and the connection closed, where it has no end", async () => {
    await using exposure = await start();
    const connection = exposure.connect();

    connection.write(chunkedHead + chunk(form));
    await soon(connection.until(/result/));
    const flood = chunk("x".repeat(64 * 1024)).repeat(40);
    const pump = setInterval(() => connection.write(flood), 1);
    const received = await soon(connection.closed);
    clearInterval(pump);

    expect(statusesOf(received)).toEqual(["200"]);
    expect(received.toLowerCase()).toContain("connection: close");
  });

  it("What comes after the last boundary of a form is thrown away, and the connection used on, where it ends", async () => {
    await using exposure = await start();
    const connection = exposure.connect();
    const padded = Buffer.concat([form, Buffer.from("epilogue".repeat(1000))]).toString();
    const request = rawPost("/__runner/task/upload", padded, [`Content-Type: ${formHeaders["content-type"]}`]);

    connection.write(request + request);
    const received = await soon(connection.until(/result[^]*result/));

    expect(statusesOf(received)).toEqual(["200", "200"]);
    connection.socket.destroy();
  });

  it("What comes after the last boundary of a form is not waited for either where the last file is read late", async () => {
    const big = Buffer.alloc(3 * 1024 * 1024, "x");
    await using exposure = await start({ limits: { multipart: { memory: 0 } } });
    const connection = exposure.connect();

    connection.write(chunkedHead + chunk(formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", big))));
    const received = await soon(connection.until(/result/));

    expect(statusesOf(received)).toEqual(["200"]);
    connection.socket.destroy();
  });
});
