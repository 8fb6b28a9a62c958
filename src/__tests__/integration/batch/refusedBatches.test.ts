import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { token } from "../../support/exposure";
import { stopTime } from "../../support/stopTime";
import { startBatchTest, type BatchTest } from "./batchDefinitions";

const line = (n: number | string, more = "/task/batch.echo {}", body = '{"input":1}'): string => `${n} ${more} ${body}`;

async function answerOf(response: Response): Promise<{ status: number; code?: unknown; message?: unknown }> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, code: error.code, message: error.message };
}

describe("a batch that makes no sense is refused as a whole, and nothing of it runs:", () => {
  let test: BatchTest;
  beforeAll(async () => void (test = await startBatchTest({ auth: { token: "s3cret", header: "x-runner-secret" } })));
  afterAll(() => test[Symbol.asyncDispose]());
  const credentials = { "x-runner-secret": "s3cret" };

  const refusals: [string, readonly string[] | string, RegExp][] = [
    ["no call", "", /no call/],
    ["line breaks alone", "\n\n\n", /line 1 is not/],
    ["two calls with one number", [line(1), line(0), line(1)], /1 stands before two calls/],
    ["a number with a zero in front", [line("01")], /whole number/],
    ["a negative number", [line(-1)], /whole number/],
    ["a number with a fraction", [line("1.0")], /whole number/],
    ["a number that is too large", [line(0), line("1000000000")], /line 2 .* whole number/],
    ["a number of many digits", [line("9".repeat(400))], /whole number/],
    ["a number in another notation", [line("1e3")], /whole number/],
    ["no number", [line("")], /whole number/],
    ["a line of two words", [line(0), "1 /task/batch.echo"], /line 2 is not/],
    ["a line without a body", ["0 /task/batch.echo {}"], /line 1 is not/],
    ["a path without an id", [line(0, "/task/ {}")], /addresses no task/],
    ["a path of a third kind", [line(0, "/discovery {}")], /addresses no task/],
    ["a batch in a batch", [line(0, "/batch {}")], /addresses no task/],
    ["a path that cannot be decoded", [line(0, "/task/%zz {}")], /addresses no task/],
    ["headers that are no JSON", [line(0, "/task/batch.echo {]")], /no JSON/],
    ["headers that are cut by a space", [line(0, '/task/batch.echo {"x-runner-context": "x"}')], /no JSON/],
    ["headers in a list", [line(0, "/task/batch.echo []")], /no object/],
    ["headers that are nothing", [line(0, "/task/batch.echo null")], /no object/],
    [
      "a header that is a number",
      [line(0, '/task/batch.echo {"x-runner-deadline-ms":5}')],
      /no text for x-runner-deadline-ms/,
    ],
    ["a header with a line break", [line(0, '/task/batch.echo {"tracestate":"a\\r\\nx:y"}')], /no text for tracestate/],
    ["a header beyond what HTTP carries", [line(0, '/task/batch.echo {"tracestate":"\\u20ac"}')], /no text/],
    ...[
      "authorization",
      "cookie",
      "host",
      "x-runner-token",
      "x-runner-secret",
      "content-type",
      "accept",
      "Tracestate",
    ].map((name): [string, readonly string[], RegExp] => [
      `the header ${name}, which no call may have`,
      [line(0), line(1, `/task/batch.echo {"${name}":"s3cret"}`)],
      new RegExp(`line 2 has the header "${name}"`),
    ]),
    ...["__proto__", "constructor", "toString"].map((name): [string, readonly string[], RegExp] => [
      `the header ${name}`,
      [line(0, `/task/batch.echo {"${name}":"x"}`)],
      /which a call of a batch cannot have/,
    ]),
    ["headers of 17 KiB", [line(0, `/task/batch.echo {"tracestate":"${"x".repeat(17_408)}"}`)], /16384 characters/],
    ["17 KiB of nested lists", [line(0, `/task/batch.echo ${"[".repeat(17_408)}`)], /16384 characters/],
  ];
  it.each(refusals)("%s", async (_what, lines, message) => {
    const answer = await answerOf(await test.post(lines, credentials));

    expect(answer).toEqual({ status: 400, code: "INVALID_BATCH", message: expect.stringMatching(message) as string });
    expect(test.calls).toEqual([]);
  });
});

describe("a batch over a limit is refused with 413, and nothing of it runs:", () => {
  const limits = { batch: { lines: 3, bytes: 1000 } };

  it("more calls than http.limits.batch.lines", async () => {
    await using test = await startBatchTest({ limits });

    const full = await test.post([line(0), line(1), line(2)]);
    expect([full.status, test.calls.length]).toEqual([200, 3]);
    const answer = await answerOf(await test.post([line(0), line(1), line(2), line(3)]));

    expect(answer).toMatchObject({
      status: 413,
      code: "PAYLOAD_TOO_LARGE",
      message: expect.stringContaining("3 calls") as string,
    });
    expect(test.calls).toHaveLength(3);
  });

  it("more bytes than http.limits.batch.bytes", async () => {
    await using test = await startBatchTest({ limits });

    const answer = await answerOf(await test.post([line(0, undefined, JSON.stringify({ input: "x".repeat(1000) }))]));

    expect(answer).toMatchObject({ status: 413, code: "PAYLOAD_TOO_LARGE" });
    expect(test.calls).toEqual([]);
  });

  it("256 calls and 2 MiB, where no limit is stated", async () => {
    await using test = await startBatchTest();
    const lines = (count: number) => Array.from({ length: count }, (_, n) => line(n));

    expect((await test.post(lines(256))).status).toBe(200);
    expect(await answerOf(await test.post(lines(257)))).toMatchObject({
      status: 413,
      message: expect.stringContaining("256") as string,
    });
    expect(await answerOf(await test.post(lines(1_000_000).join("\n").slice(0, 2_097_152)))).toMatchObject({
      status: 413,
    });
    expect(await answerOf(await test.post("\n".repeat(2_097_152)))).toMatchObject({ status: 400 });
    expect((await test.post("\n".repeat(2_097_153))).status).toBe(413);
    expect(test.calls).toHaveLength(256);
  });

  it("more bytes, by a caller that reads only once it has sent them, while the process of the server does not run", async () => {
    await using test = await startBatchTest();
    const { connect, handlers } = test.exposure;
    const { socket, closed } = connect();
    const failures: unknown[] = [];
    socket.on("error", (error) => failures.push(error)).pause();
    const refused = new Promise<ServerResponse>((resolve) => {
      handlers.server?.once("request", (_request, response: ServerResponse) => resolve(response));
    });
    using time = stopTime();
    const bytes = Buffer.alloc(1_048_576, "\n");
    const head = ["POST /__runner/batch HTTP/1.1", "host: x", `x-runner-token: ${token}`, "content-length: 4194304"];
    socket.write(`${head.join("\r\n")}\r\ncontent-type: application/x-runner-batch\r\n\r\n`);
    for (let sent = 0; sent < 2; sent += 1) socket.write(bytes);
    socket.write("\n");
    const response = await refused;
    while (!response.headersSent) await nextTurn();

    for (const rest of [bytes, bytes.subarray(1)]) {
      socket.write(rest);
      time.advance(60_000);
      await nextTurn();
    }
    socket.resume();

    expect(await closed).toMatch(/^HTTP\/1\.1 413 [^]*"code":"PAYLOAD_TOO_LARGE"/);
    expect(failures).toEqual([]);
  });

  it("a server whose limit is 0 answers 404, as one that knows no batches", async () => {
    await using test = await startBatchTest({ limits: { batch: { lines: 0 } } });

    expect(await answerOf(await test.post([line(0)]))).toEqual({
      status: 404,
      code: "NOT_FOUND",
      message: "Not Found",
    });
  });
});

describe("a batch is authenticated once:", () => {
  it("a caller without a token is refused before the body is read", async () => {
    await using test = await startBatchTest();

    const answer = await answerOf(await test.post("nonsense", { "x-runner-token": "guessed" }));

    expect(answer).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
  });

  it("other methods than POST are refused", async () => {
    await using test = await startBatchTest();

    const reply = await fetch(`${test.baseUrl}/batch`, { headers: { "x-runner-token": "s3cret" } });

    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });
});

describe("of a batch, a call that is refused leaves the others alone:", () => {
  const repliesOf = async (response: Response): Promise<Record<string, unknown>> => {
    const lines = (await response.text()).trimEnd().split("\n");
    return Object.fromEntries(
      lines.map((each) => {
        const [, n = "", status, envelope = ""] = /^(\d+) (\d+) (.*)$/.exec(each) ?? [];
        const { ok, result, error } = JSON.parse(envelope) as {
          ok: boolean;
          result?: unknown;
          error?: { code: string };
        };
        return [n, ok ? [Number(status), result] : [Number(status), error?.code]];
      }),
    );
  };

  it("by the allow-list, the decoder, the schema of a task, or since it cannot be in a batch", async () => {
    await using test = await startBatchTest();

    const reply = await test.post([
      line(7),
      line(0, "/task/batch.unknown {}"),
      line(1, "/event/batch.unknown {}"),
      line(2, undefined, "{nope"),
      line(3, "/task/batch.bytes {}"),
      line(4, "/task/batch.ownReply {}"),
      line(5, "/task/batch.items {}"),
      line(6, "/task/batch.crash {}"),
    ]);

    expect(reply.headers.get("content-type")).toBe("application/x-runner-batch");
    expect(await repliesOf(reply)).toEqual({
      "7": [200, 1],
      "0": [403, "FORBIDDEN"],
      "1": [403, "FORBIDDEN"],
      "2": [400, "INVALID_JSON"],
      "3": [406, "NOT_BATCHABLE"],
      "4": [406, "NOT_BATCHABLE"],
      "5": [406, "NOT_BATCHABLE"],
      "6": [500, "INTERNAL_ERROR"],
    });
    expect(test.calls).not.toContain("items");
  });

  it("a task that has run says so, and one that has not says that as well", async () => {
    await using test = await startBatchTest();

    const reply = await test.post([line(0, "/task/batch.bytes {}"), line(1, "/task/batch.items {}")]);
    const text = await reply.text();

    expect(text).toContain("Task batch.bytes replies with bytes, which a batch cannot carry; it has already run.");
    expect(text).toContain("Task batch.items streams its items, which a batch cannot carry.");
    expect(text).toContain('"data":{"ran":true}');
    expect(text).toContain('"data":{"ran":false}');
  });

  it("for want of a place, and no call is counted twice", async () => {
    await using test = await startBatchTest({ limits: { inFlight: 2 } });
    const wait = (name: string) => `/task/batch.wait {}`.concat(` {"input":"${name}"}`);

    const first = await test.post([`0 ${wait("a")}`, `1 ${wait("b")}`, `2 ${wait("c")}`]).then((reply) => {
      test.doors.of("a").opened.resolve();
      test.doors.of("b").opened.resolve();
      return reply;
    });
    expect(await repliesOf(first)).toEqual({ "2": [503, "OVERLOADED"], "0": [200, "a"], "1": [200, "b"] });

    expect(await repliesOf(await test.post([line(0), line(1)]))).toEqual({ "0": [200, 1], "1": [200, 1] });
    await test.exposure.app.dispose();
  });
});
