import { ResponseReader } from "./responseReader";

/** What a reader makes of pieces. */
function read(
  pieces: readonly (string | Buffer)[],
  { method = "GET", encoding = "latin1" }: { method?: string; encoding?: BufferEncoding } = {},
) {
  const log: unknown[] = [];
  let body = "";
  const reader = new ResponseReader(method, {
    onResponseHead: ({ status, reason, headers, contentLength }) =>
      log.push([status, reason, headers.join("|"), contentLength]),
    onBody: (bytes) => (body += bytes.toString("latin1")),
    onWhole: (trailers) => log.push(["whole", trailers.join("|")]),
  });
  for (const piece of pieces) reader.push(piece, encoding);
  return { log, reader, body: () => body };
}

const chunked =
  "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" +
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A:  \u00e4 \r\n\r\n" +
  "5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\nX-Sum: 42\r\n\r\n";

it("a response is read the same, wherever its bytes are cut", () => {
  const bytes = Buffer.from(chunked, "latin1");
  const whole = read([bytes]);
  expect(whole.log).toEqual([
    [103, "Early Hints", "Link|<a>", undefined],
    [200, "OK", "Transfer-Encoding|chunked|X-A|\u00e4", undefined],
    ["whole", "X-Sum|42"],
  ]);
  expect(whole.body()).toBe("hello0123456789");

  for (let cut = 1; cut < bytes.length; cut++) {
    const parts = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
    expect([parts.log, parts.body()]).toEqual([whole.log, whole.body()]);
  }
  const single = read([...bytes].map((byte) => Buffer.of(byte)));
  expect([single.log, single.body()]).toEqual([whole.log, whole.body()]);
});

it("text in another encoding is read as the bytes that it stands for", () => {
  const { log, body } = read(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: \u00e4\r\n\r\n\u20ac12"], {
    encoding: "utf8",
  });

  expect(log).toEqual([
    [200, "OK", "Content-Length|5|X-A|\u00c3\u00a4", 5],
    ["whole", ""],
  ]);
  expect(Buffer.from(body(), "latin1").toString()).toBe("\u20ac12");
});

it.each([
  ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"],
  ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"],
  ["GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
])("the response to %s that begins with %j is whole at the end of its head", (method, head) => {
  expect(read([head], { method }).log.at(-1)).toEqual(["whole", ""]);
});

it("a body without a length is whole at the end of the connection, and one with a length is not before its last byte", () => {
  const open = read(["HTTP/1.0 200\r\n\r\nsome", "more"]);
  const short = read(["HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 9\r\n\r\nsome"]);

  expect([open.reader.isDone, open.reader.end(), open.body()]).toEqual([false, true, "somemore"]);
  expect([short.reader.isLast, short.reader.end()]).toEqual([true, false]);
});

it("bytes behind the end of a response are left out", () => {
  const { log, body } = read(["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsomemore", "and more"]);

  expect([body(), log.length]).toEqual(["some", 2]);
});

it.each([
  "HTTP/2 200 OK\r\n\r\n",
  "garbage\r\n\r\n",
  "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1".repeat(20_000)}`,
  `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(300_000)}`,
])("what is no response is refused: %#", (bytes) => {
  expect(() => read([bytes])).toThrow(Error);
});
