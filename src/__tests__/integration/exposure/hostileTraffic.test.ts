import { gzipSync } from "node:zlib";
import { r } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { boundary, formHeaders, rawPost, startExposure, token, type TestExposure } from "../../support/exposure";

/**
 * Raw sockets that send what no client would. Of each: the request is answered or its connection closed, and the
 * exposure goes on serving.
 */

const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();
const path = "/__runner/task/echo";
const head = (...lines: string[]): string =>
  [`POST ${path} HTTP/1.1`, "Host: localhost", `x-runner-token: ${token}`, ...lines, "", ""].join("\r\n");

const start = (times: { readonly headersMs?: number; readonly bodyIdleMs?: number } = {}): Promise<TestExposure> =>
  startExposure([echo], {
    compression: { requests: true },
    limits: { json: { maxSize: 1000 }, headerBytes: 4096, ...times },
  });
let exposure: TestExposure;
beforeAll(async () => void (exposure = await start()));
afterAll(() => exposure.app.dispose());
afterEach(async () => {
  const reply = await exposure.post(path, '{"input":"alive"}');
  expect(await reply.json()).toEqual({ ok: true, result: "alive" });
});

/** Sends, and resolves with everything that came back until the server closed. */
const exchange = (...pieces: (string | Buffer)[]): Promise<string> => exchangeWith(exposure, ...pieces);

async function exchangeWith(server: TestExposure, ...pieces: (string | Buffer)[]): Promise<string> {
  const connection = server.connect();
  for (const piece of pieces) connection.write(piece);
  return connection.closed;
}

const statusesOf = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describe("a sender that stops", () => {
  it.each([
    ["inside the head is cut", ["POST /__runner/task/echo HTTP/1.1\r\nHost: loc"]],
    ["before the head is closed upon", []],
  ])("a sender that stops %s", async (_where, pieces) => {
    await using brisk = await start({ headersMs: 100 });

    expect(statusesOf(await exchangeWith(brisk, ...pieces))).toEqual([408]);
  });

  it.each([
    ["a JSON body", head("Content-Length: 100"), '{"input"'],
    ["a chunked body", head("Transfer-Encoding: chunked"), "5\r\n{"],
    ["a form", head("Content-Length: 1000", `Content-Type: ${formHeaders["content-type"]}`), `--${boundary}\r\n`],
    [
      "a compressed body",
      head("Content-Length: 1000", "Content-Encoding: gzip"),
      gzipSync("{}").subarray(0, 5).toString("latin1"),
    ],
  ])("a sender that stops inside %s is told so with an envelope", async (_what, first, body) => {
    await using brisk = await start({ bodyIdleMs: 60 });

    const received = await exchangeWith(brisk, first, Buffer.from(body, "latin1"));

    expect(statusesOf(received)).toEqual([408]);
    expect(received).toContain('{"ok":false,"error":{"message":"Request Timeout","code":"REQUEST_TIMEOUT"}}');
    expect(received.toLowerCase()).toContain("connection: close");
  });

  it("a sender that stops and half-closes inside a body is closed upon", async () => {
    const connection = exposure.connect();
    connection.write(head("Content-Length: 100") + '{"in');
    connection.socket.end();

    expect(statusesOf(await connection.closed)).not.toContain(200);
  });

  it("a sender that stops and half-closes after the body is answered", async () => {
    const connection = exposure.connect();
    connection.write(rawPost(path, '{"input":1}'));
    connection.socket.end();

    expect(await connection.closed).toContain('{"ok":true,"result":1}');
  });
});

describe("too much", () => {
  it("too much of a body is refused while it is being sent", async () => {
    const connection = exposure.connect();
    connection.write(head("Content-Length: 100000000"));
    connection.write("x".repeat(2000));

    const received = await connection.until(/PAYLOAD_TOO_LARGE/);
    connection.socket.destroy();

    expect(statusesOf(received)).toEqual([413]);
    expect(received.toLowerCase()).toContain("connection: close");
  });

  it("too much of a body without a length is refused as well", async () => {
    const chunk = "x".repeat(600);

    const received = await exchange(
      head("Transfer-Encoding: chunked", "Connection: close"),
      ...Array(3).fill(`258\r\n${chunk}\r\n`),
      "0\r\n\r\n",
    );

    expect(statusesOf(received)).toEqual([413]);
  });

  it("too much of a head is refused", async () => {
    expect(statusesOf(await exchange(head(`x-big: ${"x".repeat(10_000)}`)))).toEqual([431]);
  });

  it("too much inside little, once decoded, is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));

    const received = await exchange(
      head(`Content-Length: ${bomb.length}`, "Content-Encoding: gzip", "Connection: close"),
      bomb,
    );

    expect(statusesOf(received)).toEqual([413]);
  });

  it("too much nesting is bad JSON", async () => {
    const body = `${"[".repeat(400)}${"]".repeat(400)}`;
    const deep = await exchange(rawPost(path, `{"input":${body}}`, ["Connection: close"]));
    await using roomy = await startExposure([echo], { limits: { json: { maxSize: 5_000_000 } } });

    const tooDeep = await roomy.post(path, "[".repeat(2_000_000));

    expect(statusesOf(deep)).toEqual([200]);
    expect(tooDeep.status).toBe(400);
  });

  it("too many requests at once are refused with when to come back", async () => {
    const started = createDeferred();
    const release = createDeferred();
    const wait = r
      .task("wait")
      .run(async () => {
        started.resolve();
        await release.promise;
      })
      .build();
    await using busy = await startExposure([wait], { limits: { inFlight: 1 } });
    const first = busy.post("/__runner/task/wait");
    await started.promise;

    const second = await busy.post("/__runner/task/wait");
    release.resolve();

    expect([second.status, second.headers.get("retry-after"), await second.json()]).toEqual([
      503,
      "1",
      { ok: false, error: { message: "Too many requests in flight", code: "OVERLOADED" } },
    ]);
    expect((await first).status).toBe(200);
    expect((await busy.post("/__runner/task/wait")).status).toBe(200);
  });
});

describe("shapes that smuggle", () => {
  it.each([
    ["two lengths", head("Content-Length: 5", "Content-Length: 6"), "{}   "],
    ["a length and chunks", head("Content-Length: 5", "Transfer-Encoding: chunked"), "0\r\n\r\n"],
    ["a coding of the transfer that is none", head("Transfer-Encoding: xchunked"), "0\r\n\r\n"],
    ["a length that is none", head("Content-Length: -1"), ""],
    ["a chunk size that is none", head("Transfer-Encoding: chunked"), "zz\r\n{}\r\n0\r\n\r\n"],
    ["a space before a colon", head("Content-Length : 2"), "{}"],
    ["a folded header", head("x-a: 1", " folded"), ""],
    ["a bare line feed", `POST ${path} HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n`, "{}"],
  ])("shapes that smuggle with %s never reach a task", async (_what, first, body) => {
    const received = await exchange(first, body);

    expect(statusesOf(received).filter((status) => status < 400)).toEqual([]);
  });

  it("shapes that smuggle with a token given twice are refused", async () => {
    const received = await exchange(rawPost(path, "{}", [`x-runner-token: ${token}`, "Connection: close"]));

    expect(statusesOf(received)).toEqual([401]);
  });
});

it("an exposure answers pipelined requests in order, the refused ones among them", async () => {
  const received = await exchange(
    rawPost(path, '{"input":1}'),
    rawPost(path, "{bad"),
    rawPost("/__runner/task/nope", "{}"),
    rawPost(path, '{"input":2}', ["Connection: close"]),
  );

  expect(statusesOf(received)).toEqual([200, 400, 403, 200]);
  expect(received.indexOf('"result":1')).toBeLessThan(received.indexOf('"result":2'));
});

it("an exposure goes on with a connection whose last body was refused", async () => {
  const received = await exchange(rawPost(path, "x".repeat(2000)), rawPost(path, '{"input":2}', ["Connection: close"]));

  expect(statusesOf(received)).toEqual([413, 200]);
});

it.each([
  ["an absolute target", `http://anything.test${path}`, 200],
  ["an absolute target without a path", "http://anything.test", 404],
  ["two slashes", "//", 404],
  ["a target of percent signs", "/__runner/task/%%%", 404],
  ["an id of dots", "/__runner/task/../../etc/passwd", 403],
  ["an id with a null byte", "/__runner/task/%00", 403],
  ["a very long id", `/__runner/task/${"x".repeat(3000)}`, 403],
])("an exposure takes %s for what it is", async (_what, target, status) => {
  const received = await exchange(rawPost(target, '{"input":1}', ["Connection: close"]));

  expect(statusesOf(received)).toEqual([status]);
});

it.each([
  ["Upgrade", ["Connection: Upgrade", "Upgrade: websocket"], 200],
  ["Expect", ["Expect: 100-continue", "Connection: close"], 200],
  ["an unknown expectation", ["Expect: miracles", "Connection: close"], 417],
])("an exposure answers a request with %s", async (_what, headers, status) => {
  const connection = exposure.connect();
  connection.write(rawPost(path, '{"input":1}', headers));

  const received = await connection.until(new RegExp(`HTTP/1\\.1 ${status}`));
  connection.socket.destroy();

  expect(statusesOf(received)).toContain(status);
});
