import { once } from "node:events";
import type { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { r, useExposureContext, type InputFile } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import {
  boundary,
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  sentinel,
  startExposure,
  token,
  type RawConnection,
} from "../../support/exposure";
import { soon } from "../../support/soon";

const take = r
  .task("take")
  .run(async (input: unknown) => input)
  .build();
const noted = r.event<unknown>("noted").build();
const count = r
  .task("count")
  .run(async () => {
    let bytes = 0;
    for await (const chunk of useExposureContext().req as AsyncIterable<Buffer>) bytes += chunk.length;
    return bytes;
  })
  .build();

/** So much faster than in earnest that a test takes no time. */
const limits = { closeMs: 50, bodyIdleMs: 60, bodyRateMs: 120, bodyBytesPerSecond: 10_000 };

const headOf = (path: string, ...headers: string[]): string =>
  [
    `POST /__runner/${path} HTTP/1.1`,
    "Host: localhost",
    `x-runner-token: ${token}`,
    "Content-Length: 100000",
    ...headers,
    "",
    "",
  ].join("\r\n");

/** Sends bytes one at a time, always just in time not to count as idle, until the server has enough. */
async function drip(connection: RawConnection, bytes: Buffer, everyMs = 10): Promise<string> {
  let sent = 0;
  const pump = setInterval(() => connection.socket.write(bytes.subarray(sent, (sent += 1))), everyMs);
  const received = await soon(connection.closed);
  clearInterval(pump);
  return received;
}

describe("A body that drips more slowly than the least rate", () => {
  const json = Buffer.from(`{"input":"${"x".repeat(10_000)}`);
  it.each<[string, string, Buffer]>([
    ["the JSON of a task", headOf("task/take"), json],
    ["the JSON of an event", headOf("event/noted"), json],
    [
      "a compressed one",
      headOf("task/take", "Content-Encoding: gzip"),
      gzipSync(Buffer.from(Array.from({ length: 10_000 }, (_, at) => at).join())),
    ],
    [
      "the manifest of a form",
      headOf("task/take", `Content-Type: ${formHeaders["content-type"]}`),
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="__manifest"\r\n\r\n{"input":"${"x".repeat(1000)}`,
      ),
    ],
    [
      "what comes before a form",
      headOf("task/take", `Content-Type: ${formHeaders["content-type"]}`),
      Buffer.alloc(10_000, "x"),
    ],
  ])("A body that drips more slowly than the least rate is refused: %s", async (_what, head, body) => {
    await using exposure = await startExposure([take, noted], { limits, compression: { requests: true } });
    const connection = exposure.connect();

    connection.write(head);
    const received = await drip(connection, body);

    expect(received).toMatch(/^HTTP\/1.1 408 /);
    expect(received).toContain('"code":"REQUEST_TIMEOUT"');
  });

  it("A body that drips more slowly than the least rate gives the place back that it took", async () => {
    await using exposure = await startExposure([take], { limits: { ...limits, inFlight: 1 } });
    const connection = exposure.connect();
    connection.write(headOf("task/take"));
    await drip(connection, json);

    expect((await exposure.post("/__runner/task/take", '{"input":1}')).status).toBe(200);
  });

  it("A body that drips more slowly than the least rate is no matter where raw bytes are the input", async () => {
    await using exposure = await startExposure([count], { limits });
    const connection = exposure.connect();
    const head = headOf("task/count", "Content-Type: application/octet-stream").replace("100000", "40");

    connection.write(head);
    let left = 40;
    const pump = setInterval(() => (left-- > 0 ? connection.write("x") : clearInterval(pump)), 10);
    const received = await soon(connection.until(/result/));

    expect(received).toContain('"result":40');
    connection.socket.destroy();
  });

  it("A body that drips more slowly than the least rate is no matter where there is no least rate", async () => {
    await using exposure = await startExposure([take], { limits: { ...limits, bodyBytesPerSecond: 0 } });
    const connection = exposure.connect();
    const body = Buffer.from(`{"input":"${"x".repeat(30)}"}`);

    connection.write(headOf("task/take").replace("100000", String(body.length)));
    let sent = 0;
    const pump = setInterval(() => connection.socket.write(body.subarray(sent, (sent += 1))), 10);
    const received = await soon(connection.until(/result/));
    clearInterval(pump);

    expect(received).toMatch(/^HTTP\/1.1 200 /);
    connection.socket.destroy();
  });
});

describe("Time in which the server holds a body back", () => {
  it("Time in which the server holds a body back does not count against its rate", async () => {
    const go = createDeferred();
    const late = r
      .task("late")
      .run(async ({ file }: { file: InputFile<Readable> }) => {
        const stream = file.stream();
        await once(stream, "readable");
        await go.promise;
        let bytes = 0;
        for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
        return bytes;
      })
      .build();
    // Sender and server share this process, which may stand still for longer than the shortest times.
    const patient = { ...limits, bodyIdleMs: 400, bodyRateMs: 400, multipart: { memory: 0 } };
    await using exposure = await startExposure([late], { limits: patient });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", Buffer.alloc(4 * 1024 * 1024, "x")));

    const reply = exposure.post("/__runner/task/late", form, formHeaders);
    // Three bodies that stand still are refused one after another meanwhile.
    for (let round = 0; round < 3; round += 1) {
      const still = exposure.connect();
      still.write(headOf("task/late"));
      expect(await soon(still.closed)).toMatch(/^HTTP\/1.1 408 /);
    }
    go.resolve();

    expect(await (await soon(reply)).json()).toEqual({ ok: true, result: 4 * 1024 * 1024 });
  });
});
