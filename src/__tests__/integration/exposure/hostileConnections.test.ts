import { EventEmitter, once } from "node:events";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { r, useExposureContext } from "../../../node/index";
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
  type RawConnection,
  type TestExposure,
} from "../../support/exposure";

/**
 * What connections can do to an exposure beyond the shapes of one request: heads, chunks, raw bytes, many at once.
 * After each the exposure serves as before, and no task ran that nobody called.
 */

/** What tasks tell the test that runs them. */
const told = new EventEmitter();

const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();
const mark = r
  .task("mark")
  .run(async () => void told.emit("marked"))
  .build();
/** Reads raw bytes to their end, or to where they break off. */
const drain = r
  .task("drain")
  .run(async (_input: unknown, _deps, { signal }) => {
    let bytes = 0;
    try {
      for await (const chunk of useExposureContext().req as AsyncIterable<Buffer>) bytes += chunk.byteLength;
    } catch (error) {
      told.emit("broken", { code: (error as NodeJS.ErrnoException).code, aborted: signal.aborted, bytes });
      throw error;
    }
    return bytes;
  })
  .build();
const wait = r
  .task("wait")
  .run(async (_input: unknown, _deps, { signal }) => {
    told.emit("waiting");
    await once(signal, "abort");
    told.emit("left");
  })
  .build();

const path = "/__runner/task/echo";
const requestHead = (target: string, ...lines: string[]): string =>
  [`POST ${target} HTTP/1.1`, "Host: localhost", `x-runner-token: ${token}`, ...lines, "", ""].join("\r\n");

let exposure: TestExposure;
let marks = 0;
beforeAll(async () => {
  told.on("marked", () => (marks += 1));
  exposure = await startExposure([echo, mark, drain, wait], {
    compression: { requests: true },
    limits: {
      json: { maxSize: 1000 },
      octet: { maxSize: 100_000 },
      headerBytes: 4096,
      inFlight: 20,
    },
  });
});
/** Cuts those that take their time over a head. */
const startBrisk = (): Promise<TestExposure> => startExposure([echo], { limits: { headersMs: 100 } });
afterAll(() => exposure.app.dispose());
afterEach(async () => {
  const reply = await exposure.post(path, '{"input":"alive"}');
  expect(await reply.json()).toEqual({ ok: true, result: "alive" });
  expect(marks).toBe(0);
});

/** Sends, and resolves with everything that came back until the server closed. */
function exchange(...pieces: (string | Buffer)[]): Promise<string> {
  const connection = exposure.connect();
  for (const piece of pieces) connection.write(piece);
  return connection.closed;
}

/** Sends no more, and resolves with everything that came back until the server closed. */
function exchangeAndEnd(...pieces: (string | Buffer)[]): Promise<string> {
  const connection = exposure.connect();
  for (const piece of pieces) connection.write(piece);
  connection.socket.end();
  return connection.closed;
}

const statusesOf = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

/** Writes a little now and then until the server has enough of it. */
async function drip(connection: RawConnection, text: string): Promise<string> {
  const timer = setInterval(() => connection.write(text), 10);
  const received = await connection.closed;
  clearInterval(timer);
  return received;
}

describe("a head", () => {
  it("the head of a request that drips is cut, however long it goes on", async () => {
    await using brisk = await startBrisk();
    const connection = brisk.connect();
    connection.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nx-drip: `);

    expect(statusesOf(await drip(connection, "x"))).toEqual([408]);
  });

  it("the head of a request that drips header after header is cut as well", async () => {
    await using brisk = await startBrisk();
    const connection = brisk.connect();
    connection.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n`);

    expect(statusesOf(await drip(connection, "x-a: b\r\n"))).toEqual([408]);
  });

  it.each([
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]],
    ["TLS", Buffer.from("16030100050100000100", "hex"), [400]],
    ["HTTP/0.9", "GET /\r\n\r\n", [404]],
    ["HTTP/3.7", `POST ${path} HTTP/3.7\r\nHost: localhost\r\n\r\n`, [400]],
    ["nothing known", Buffer.alloc(3000, 0xff), [400]],
    ["HTTP without a host", `POST ${path} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}`, [400]],
    ["a null byte", requestHead(path, "x-a: b\0c"), [400]],
    ["a bare carriage return", requestHead(path, "x-a: b\rx-b: c"), [400]],
    ["a tunnel", `CONNECT anything.test:443 HTTP/1.1\r\nHost: anything.test\r\n\r\n`, []],
  ])("the head of a request that speaks %s is refused", async (_what, sent, expected) => {
    expect(statusesOf(await exchange(sent))).toEqual(expected);
  });

  it.each([
    ["Content-Type", ["Content-Type: application/json", `Content-Type: ${formHeaders["content-type"]}`], 200],
    ["Content-Encoding", ["Content-Encoding: gzip", "Content-Encoding: gzip"], 415],
    ["Content-Encoding, in one line", ["Content-Encoding: gzip, gzip"], 415],
    ["x-runner-context", ["x-runner-context: {}", "x-runner-context: {"], 200],
    ["x-runner-request-id", ["x-runner-request-id: one", "x-runner-request-id: two"], 200],
    ["Host", ["Host: elsewhere.test"], 200],
  ])("the head of a request that says %s twice is taken for what it is worth", async (_name, headers, status) => {
    const received = await exchange(rawPost(path, '{"input":1}', [...headers, "Connection: close"]));

    expect(statusesOf(received)).toEqual([status]);
  });

  it("the head of a request of 500 lines is read", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `x${index}:`);

    expect(statusesOf(await exchange(rawPost(path, '{"input":1}', [...lines, "Connection: close"])))).toEqual([200]);
  });
});

describe("chunks", () => {
  const chunked = requestHead(path, "Transfer-Encoding: chunked", "Connection: close");

  it.each([
    ["a size beyond all numbers", `${"f".repeat(17)}\r\n`, [400]],
    ["a negative size", "-1\r\n", [400]],
    ["a size in another base", "0x2\r\n{}\r\n0\r\n\r\n", [400]],
    ["more than they say", "2\r\n{}{}\r\n0\r\n\r\n", [400]],
    ["extensions without end", `2;${"x".repeat(20_000)}`, [413]],
    ["trailers without end", `2\r\n{}\r\n0\r\n${"x-a: b\r\n".repeat(2000)}\r\n`, [431]],
  ])("chunks of a request with %s are refused", async (_what, body, expected) => {
    expect(statusesOf(await exchange(chunked, body))).toEqual(expected);
  });

  it("chunks of a request of one byte each make one body", async () => {
    const pieces = [...'{"input":"bytes"}'].map((byte) => `1\r\n${byte}\r\n`);

    expect(await exchange(chunked, pieces.join(""), "0\r\n\r\n")).toContain('{"ok":true,"result":"bytes"}');
  });

  it("chunks of a request bring no token in their trailers", async () => {
    const received = await exchange(
      `POST /__runner/task/mark HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n`,
      `Trailer: x-runner-token\r\n\r\n2\r\n{}\r\n0\r\nx-runner-token: ${token}\r\n\r\n`,
    );

    expect(statusesOf(received)).toEqual([401]);
  });
});

describe("raw bytes", () => {
  const octetHead = (...lines: string[]): string =>
    requestHead("/__runner/task/drain", "Content-Type: application/octet-stream", "Connection: close", ...lines);

  it.each([
    ["their length", [octetHead("Content-Length: 100"), "x".repeat(50)]],
    ["the end of a chunk", [octetHead("Transfer-Encoding: chunked"), "64\r\n", "x".repeat(50)]],
    ["the last chunk", [octetHead("Transfer-Encoding: chunked"), "32\r\n", `${"x".repeat(50)}\r\n`]],
  ])("raw bytes of a request that end before %s fail their reader, and are no result", async (_what, pieces) => {
    const broken = once(told, "broken");

    const received = await exchangeAndEnd(...pieces);

    expect(await broken).toEqual([{ code: "ECONNRESET", aborted: true, bytes: 50 }]);
    expect(statusesOf(received)).not.toContain(200);
  });

  it("raw bytes of a request that end in a reset fail their reader", async () => {
    const connection = exposure.connect();
    const broken = once(told, "broken");
    connection.write(octetHead("Content-Length: 100", "Expect: 100-continue"));
    await connection.until(/100 Continue/);

    connection.socket.resetAndDestroy();

    expect(await broken).toEqual([{ code: "ECONNRESET", aborted: true, bytes: 0 }]);
  });

  it("raw bytes of a request that decode to more than the limit fail their reader there", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const broken = once(told, "broken");

    const received = await exchange(octetHead(`Content-Length: ${bomb.length}`, "Content-Encoding: gzip"), bomb);

    const [{ bytes }] = (await broken) as [{ bytes: number }];
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(statusesOf(received)).not.toContain(200);
  });

  it("raw bytes of a request whose coding is cut short fail their reader, and are no result", async () => {
    const half = gzipSync(Buffer.alloc(10_000, "abc")).subarray(0, -10);
    const broken = once(told, "broken");

    const received = await exchange(octetHead(`Content-Length: ${half.length}`, "Content-Encoding: gzip"), half);

    await broken;
    expect(statusesOf(received)).not.toContain(200);
  });

  it("raw bytes of a request that are not read do not delay the reply", async () => {
    const connection = exposure.connect();
    connection.write(requestHead(path, "Content-Type: application/octet-stream", "Content-Length: 10000000"));
    connection.write("x".repeat(100_000));

    expect(statusesOf(await connection.until(/\r\n\r\n\{.*\}/))).toEqual([200]);
    connection.socket.destroy();
  });
});

describe("a form", () => {
  const post = (body: Buffer, ...headers: string[]): Promise<string> =>
    exchange(requestHead(path, `Content-Length: ${body.length}`, "Connection: close", ...headers), body);
  const contentType = `Content-Type: ${formHeaders["content-type"]}`;

  it("a form of a thousand fields is refused at the limit", async () => {
    const fields = Array.from({ length: 1000 }, (_, index) => ({ name: `n${index}`, content: "x" }));

    expect(statusesOf(await post(formOf(...fields, manifestPart(1)), contentType))).toEqual([413]);
  });

  it.each([
    ["a header of a part without end", `--${boundary}\r\nContent-Disposition: ${"x".repeat(100_000)}`],
    ["headers of a part without end", `--${boundary}\r\n${"x-a: b\r\n".repeat(20_000)}`],
    ["bytes before its first part and none of it", "x".repeat(100_000)],
  ])("a form with %s is refused", async (_what, body) => {
    expect(statusesOf(await post(Buffer.from(body), contentType))).toEqual([400]);
  });

  it("a form that states two boundaries is read by the first", async () => {
    const received = await post(formOf(manifestPart("first")), contentType, contentType.replace(boundary, "OTHER"));

    expect(received).toContain('{"ok":true,"result":"first"}');
  });

  it("a form whose coding is cut short is refused", async () => {
    const half = gzipSync(formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x".repeat(500)))).subarray(
      0,
      -9,
    );

    expect(statusesOf(await post(half, contentType, "Content-Encoding: gzip"))).toEqual([400]);
  });
});

describe("what looks like another request", () => {
  const hidden = rawPost("/__runner/task/mark", "{}", ["Connection: close"]);

  it.each([
    ["a body that is too large", rawPost(path, "x".repeat(2000) + hidden), 413],
    ["a body that is no JSON", rawPost(path, hidden), 400],
    ["a body to nobody", rawPost("/__runner/task/nope", hidden), 403],
    ["a body outside the base path", rawPost("/elsewhere", hidden), 404],
    ["a form", rawPost(path, `--${boundary}\r\n\r\n${hidden}`, [`Content-Type: ${formHeaders["content-type"]}`]), 400],
    ["the body of a GET", rawPost("/__runner/discovery", hidden).replace("POST", "GET"), 200],
  ])("what looks like another request inside %s is none", async (_where, outer, status) => {
    // The last request of the connection shows that the whole of the first was read as one.
    const connection = exposure.connect();
    connection.write(outer);
    connection.write(rawPost(path, '{"input":"last"}', ["Connection: close"]));

    expect(statusesOf(await connection.closed)[0]).toBe(status);
  });

  it.each([
    ["a length with a sign", ["Content-Length: +5"]],
    ["a length in another base", ["Content-Length: 0x5"]],
    ["a list of lengths", ["Content-Length: 5, 5"]],
    ["chunks twice", ["Transfer-Encoding: chunked, chunked"]],
    ["chunks that are not last", ["Transfer-Encoding: chunked, identity"]],
    ["two lines of transfer codings", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]],
    ["a vertical tab before chunks", ["Transfer-Encoding: \vchunked"]],
  ])("what looks like another request behind %s is none", async (_what, headers) => {
    const received = await exchange(requestHead(path, ...headers), `0\r\n\r\n${hidden}`);

    expect(statusesOf(received).filter((status) => status < 400)).toEqual([]);
  });

  it("what looks like another request behind one that closes the connection is not served", async () => {
    const received = await exchange(rawPost(path, '{"input":1}', ["Connection: close"]), hidden);

    expect(statusesOf(received)).toHaveLength(1);
  });
});

/** Resolves once tasks have told it so many times. */
function toldTimes(what: string, times: number): Promise<void> {
  let count = 0;
  return new Promise((resolve) => {
    told.on(what, function listen() {
      count += 1;
      if (count < times) return;
      told.off(what, listen);
      resolve();
    });
  });
}

it("an exposure answers an unfinished body even where its CORS policy fails", async () => {
  await using broken = await startExposure([echo], { cors: { origin: () => "no\nheader" } });
  const connection = broken.connect();

  connection.write(`${requestHead("/__runner/task/nope", "Content-Length: 100")}{`);

  expect(statusesOf(await connection.until(/\r\n\r\n\{.*\}/))).toEqual([500]);
  connection.socket.destroy();
});

describe("many at once", () => {
  it("requests of which there are many at once that are refused and go on sending take no place from those that are served", async () => {
    await using small = await startExposure([echo], { limits: { inFlight: 5 } });
    const senders = Array.from({ length: 20 }, () => small.connect());
    for (const { write } of senders) write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{`);
    const refusals = await Promise.all(senders.map(({ until }) => until(/\r\n\r\n\{.*\}/)));

    const reply = await small.post(path, '{"input":1}');

    for (const { socket } of senders) socket.destroy();
    expect(reply.status).toBe(200);
    expect(new Set(refusals.flatMap(statusesOf))).toEqual(new Set([401]));
  });

  it("requests of which there are many at once that never send anything keep no other caller out", async () => {
    const silent = Array.from({ length: 200 }, () => exposure.connect());
    await Promise.all(silent.map(({ socket }) => once(socket, "connect")));

    const reply = await exposure.post(path, '{"input":1}');

    for (const { socket } of silent) socket.destroy();
    expect(reply.status).toBe(200);
  });

  it("requests of which there are many at once on one connection are all answered, in order", async () => {
    await using wide = await startExposure([echo]);
    const connection = wide.connect();
    const requests = Array.from({ length: 500 }, (_, index) => rawPost(path, `{"input":"#${index}#"}`));

    connection.write(requests.join("") + rawPost(path, "{}", ["Connection: close"]));

    const received = await connection.closed;
    expect(statusesOf(received)).toEqual(Array<number>(501).fill(200));
    const answered = [...received.matchAll(/#(\d+)#/g)].map(([, index]) => Number(index));
    expect(answered).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });

  it("requests of which there are many at once behind a slow one on a connection learn that its caller has left", async () => {
    const waiting = toldTimes("waiting", 15);
    const left = toldTimes("left", 15);
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/wait", "{}").repeat(15));
    await waiting;

    connection.socket.resetAndDestroy();

    await left;
  });

  it("requests of which there are many at once behind a slow one on a connection give their places back when its caller has left", async () => {
    const endless = r
      .task("endless")
      .run(async () => {
        told.emit("waiting");
        return new Readable({ read() {}, destroy: (error, done) => void (told.emit("left"), done(error)) });
      })
      .build();
    await using small = await startExposure([echo, endless], { limits: { inFlight: 3 } });
    const waiting = toldTimes("waiting", 3);
    const left = toldTimes("left", 3);
    const connection = small.connect();
    connection.write(rawPost("/__runner/task/endless", "{}").repeat(3));
    await waiting;

    connection.socket.resetAndDestroy();

    await left;
    expect((await small.post(path, '{"input":1}')).status).toBe(200);
  });
});
