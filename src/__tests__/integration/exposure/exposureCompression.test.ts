import { rm } from "node:fs/promises";
import { gunzipSync, gzipSync, brotliCompressSync, deflateSync } from "node:zlib";
import { request } from "node:http";
import { r, useExposureContext } from "../../../node/index";
import { filePart, formHeaders, formOf, manifestPart, sentinel, startExposure, token } from "../../support/exposure";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hi");
const headers = { "x-runner-token": token };

describe("compression", () => {
  const long = task("long", () => "x".repeat(5000));
  const countBytes = task("count", async () => {
    let count = 0;
    for await (const chunk of useExposureContext().req) count += (chunk as Buffer).length;
    return count;
  });

  /** `fetch` decodes, so that nobody would see what was sent. */
  const callRaw = (port: number, path: string, more: Record<string, string>) =>
    new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const sent = request({ port, path, method: "POST", headers: { ...headers, ...more } }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("end", () => resolve({ headers: reply.headers, body: Buffer.concat(chunks) }));
      });
      sent.on("error", reject).end("{}");
    });

  it("compression of an exposure is off unless asked for, on both sides", async () => {
    await using exposure = await startExposure([long, hello]);

    const reply = await callRaw(exposure.port, "/__runner/task/long", { "accept-encoding": "gzip" });
    const refused = await exposure.post("/__runner/task/hello", gzipSync("{}"), { "content-encoding": "gzip" });

    expect(reply.headers["content-encoding"]).toBe(undefined);
    expect(refused.status).toBe(400);
  });

  it("compression of an exposure takes the coding that the caller likes best, and says that replies differ by it", async () => {
    await using exposure = await startExposure([long], { compression: { responses: true } });

    const reply = await callRaw(exposure.port, "/__runner/task/long", {
      "accept-encoding": "br;q=0.5, gzip;q=0.9, *;q=0",
    });

    expect([reply.headers["content-encoding"], reply.headers["vary"]]).toEqual(["gzip", "Accept-Encoding"]);
    expect(JSON.parse(gunzipSync(reply.body).toString())).toEqual({ ok: true, result: "x".repeat(5000) });
    expect(Number(reply.headers["content-length"])).toBe(reply.body.length);
  });

  it("compression of an exposure spares short replies, and callers that name no coding", async () => {
    await using exposure = await startExposure([long, hello], { compression: { responses: true } });

    const short = await callRaw(exposure.port, "/__runner/task/hello", { "accept-encoding": "gzip" });
    const silent = await callRaw(exposure.port, "/__runner/task/long", {});

    expect([short.headers["content-encoding"], silent.headers["content-encoding"]]).toEqual([undefined, undefined]);
  });

  it("compression of an exposure reaches streams, but not what is compressed already", async () => {
    const text = task("text", () => new Blob(["abc"]).stream());
    const image = task("image", () => ({ stream: new Blob(["abc"]).stream(), contentType: "image/png" }));
    await using exposure = await startExposure([text, image], { compression: { responses: true } });

    const compressed = await callRaw(exposure.port, "/__runner/task/text", { "accept-encoding": "gzip" });
    const left = await callRaw(exposure.port, "/__runner/task/image", { "accept-encoding": "gzip" });

    expect(gunzipSync(compressed.body).toString()).toBe("abc");
    expect([left.headers["content-encoding"], left.body.toString()]).toEqual([undefined, "abc"]);
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
  ])("compression of an exposure undoes %s of text, forms and raw bytes", async (coding, compress) => {
    const size = task("size", async (input) => {
      const { path, bytesWritten } = await (
        input as { file: { toTempFile(): Promise<{ path: string; bytesWritten: number }> } }
      ).file.toTempFile();
      await rm(path);
      return [typeof path, bytesWritten];
    });
    await using exposure = await startExposure([task("echo", (input) => input), size, countBytes], {
      compression: { requests: true },
    });
    const coded = { "content-encoding": coding };
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "abc"));

    const text = await exposure.post("/__runner/task/echo", compress('{"input":1}'), coded);
    const file = await exposure.post("/__runner/task/size", compress(form), { ...coded, ...formHeaders });
    const bytes = await exposure.post("/__runner/task/count", compress("12345"), {
      ...coded,
      "content-type": "application/octet-stream",
    });

    expect(await text.json()).toEqual({ ok: true, result: 1 });
    expect(await file.json()).toEqual({ ok: true, result: ["string", 3] });
    expect(await bytes.json()).toEqual({ ok: true, result: 5 });
  });

  it.each([
    ["an unknown coding", Buffer.from("{}"), "snappy", 415],
    ["bytes that are not what they say", Buffer.from("{}"), "gzip", 400],
    ["a little that decodes to more than the limit", gzipSync(Buffer.alloc(3_000_000)), "gzip", 413],
  ])("compression of an exposure refuses %s", async (_what, body, coding, status) => {
    await using exposure = await startExposure([hello], { compression: { requests: true } });

    const reply = await exposure.post("/__runner/task/hello", body, { "content-encoding": coding });

    expect(reply.status).toBe(status);
  });

  it("compression of an exposure refuses a form that decodes to more than its parts may hold", async () => {
    await using exposure = await startExposure([hello], {
      compression: { requests: true },
      limits: { multipart: { fileSize: 1000, files: 1, fields: 1, fieldSize: 1000, parts: 2 } },
    });

    const reply = await exposure.post("/__runner/task/hello", gzipSync(Buffer.alloc(3_000_000)), {
      "content-encoding": "gzip",
      ...formHeaders,
    });

    expect([400, 413]).toContain(reply.status);
  });
});
