import { Readable } from "node:stream";
import { r, type InputFile } from "../../../node/index";
import {
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  rawPost,
  sentinel,
  startExposure,
  token,
  type TestExposure,
} from "../../support/exposure";
import { soon } from "../../support/soon";
import { uploadFolders } from "../../support/uploadFolders";

const MiB = 1024 * 1024;
const limits = { closeMs: 50, bodyIdleMs: 100, replyIdleMs: 150, inFlight: 20, multipart: { memory: 64 * 1024 } };

const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();
const large = r
  .task("large")
  .run(async () => "x".repeat(4 * MiB))
  .build();
const open = r
  .task("open")
  .run(async (): Promise<Readable> => {
    const stream = new Readable({ read() {} });
    stream.push("begun");
    return stream;
  })
  .build();
const upload = r
  .task("upload")
  .run(async ({ file }: { file: InputFile<Readable> }) => {
    let bytes = 0;
    for await (const chunk of file.stream() as AsyncIterable<Buffer>) bytes += chunk.length;
    return bytes;
  })
  .build();
const ignore = r
  .task("ignore")
  .run(async (_input: unknown, _dependencies, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  })
  .build();

const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", Buffer.alloc(MiB, "x"))).toString("latin1");
const formPost = (id: string): string =>
  rawPost(`/__runner/task/${id}`, form, [`Content-Type: ${formHeaders["content-type"]}`]);

const connectionsOf = ({ handlers }: TestExposure): Promise<number> =>
  new Promise((resolve, reject) => {
    handlers.server?.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}

describe("Callers that go away leave nothing behind", () => {
  it.each<[string, string]>([
    ["in the head", rawPost("/__runner/task/echo", "{}").slice(0, 40)],
    ["in a JSON body", rawPost("/__runner/task/echo", '{"input":"xxxxxxxxxx"}').slice(0, -10)],
    ["in the manifest of a form", formPost("upload").slice(0, 400)],
    ["in a file that is read", formPost("upload").slice(0, -MiB / 2)],
    ["in a file that is not read", formPost("ignore").slice(0, -MiB / 2)],
    ["while a task runs", formPost("ignore")],
    ["before a reply is taken", rawPost("/__runner/task/large", "{}")],
    ["in a stream", rawPost("/__runner/task/open", "{}")],
    [
      "in a stream, with more requests behind it",
      rawPost("/__runner/task/open", "{}") + rawPost("/__runner/task/large", "{}").repeat(3),
    ],
  ])("Callers that go away leave nothing behind %s, by ending or by a reset", async (_phase, request) => {
    await using exposure = await startExposure([echo, large, open, upload, ignore], { limits });

    for (let round = 0; round < 30; round += 1) {
      const connection = exposure.connect();
      connection.socket.pause();
      await new Promise<void>((resolve) => connection.socket.write(Buffer.from(request, "latin1"), () => resolve()));
      await new Promise(setImmediate);
      if (round % 2 === 0) connection.socket.destroy();
      else connection.socket.resetAndDestroy();
    }

    await until(async () => (await connectionsOf(exposure)) === 0);
    // Thirty callers were more than there are places.
    expect((await exposure.post("/__runner/task/echo", '{"input":1}')).status).toBe(200);
    expect(await uploadFolders()).toEqual([]);
  });

  it("Callers that go away leave nothing behind and one that reads nothing while it sends ahead is cut, with all that waits for it", async () => {
    await using exposure = await startExposure([echo, large, open, upload, ignore], {
      limits: { ...limits, inFlight: 200, bufferedBytes: 64 * MiB },
    });
    const connection = exposure.connect();
    connection.socket.pause();

    connection.write(rawPost("/__runner/task/large", "{}").repeat(100));
    await until(async () => exposure.logs.some(({ data }) => /bufferedBytes/.test(JSON.stringify(data ?? null))));
    expect((await exposure.post("/__runner/task/echo", '{"input":1}')).status).toBe(200);

    await until(async () => (await connectionsOf(exposure)) <= 1);
    connection.socket.destroy();
  });
});

describe("A caller that asks before it sends its body", () => {
  const asking = (extra: string, credentials = token): string =>
    [
      "POST /__runner/task/echo HTTP/1.1",
      "Host: localhost",
      `x-runner-token: ${credentials}`,
      "Content-Length: 11",
      "Expect: 100-continue",
      extra,
      "",
    ].join("\r\n");

  it("A caller that asks before it sends its body is told to go on, and answered", async () => {
    await using exposure = await startExposure([echo], { limits });
    const connection = exposure.connect();

    connection.write(asking(""));
    await soon(connection.until(/^HTTP\/1.1 100 Continue\r\n\r\n/));
    connection.write('{"input":1}');

    expect(await soon(connection.until(/result/))).toContain('{"ok":true,"result":1}');
    connection.socket.destroy();
  });

  it("A caller that asks before it sends its body and then sends nothing is refused, and so is one without credentials, before its body", async () => {
    await using exposure = await startExposure([echo], { limits });
    const [silent, stranger] = [exposure.connect(), exposure.connect()];

    silent.write(asking(""));
    stranger.write(asking("", "another"));

    expect(await soon(silent.until(/REQUEST_TIMEOUT/))).toContain("HTTP/1.1 408 ");
    expect(await soon(stranger.until(/UNAUTHORIZED/))).toContain("HTTP/1.1 401 ");
    for (const { socket } of [silent, stranger]) socket.destroy();
  });
});
