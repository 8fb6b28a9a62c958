import { once } from "node:events";
import { connect } from "node:net";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { driver, expose, startRelay, startService } from "../../__tests__/support/bareRelay";
import { createDeferred } from "../../__tests__/support/deferred";
import { soon } from "../../__tests__/support/soon";
import { decodeTrailers, encodeResponseHead, encodeTrailers } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";

async function publishedBare() {
  const relay = await startRelay();
  const bare = await bareDriver(relay.url);
  await bare.greet();
  const { containerPort } = (await bare.bind()) as { containerPort: number };
  return {
    relay,
    bare,
    containerPort,
    get session() {
      return relay.relay.parts.sessions.all[0]!;
    },
    answer(streamId: number, status = 204) {
      bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status, reason: "", headers: [] }));
    },
    async [Symbol.asyncDispose]() {
      await bare[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** A connection whose bytes are written by hand, and the text that came back. */
function rawVisitor(port: number) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  let text = "";
  const closed = once(socket, "close");
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  return {
    socket,
    text: () => text,
    async until(shape: RegExp) {
      while (!shape.test(text)) await soon(once(socket, "data"));
      return text;
    },
    closed: () => soon(closed),
  };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe("Requests that a visitor sends before the last one is answered", () => {
  it("are carried a few at a time, so that one connection cannot take all streams of a session, and answered in order", async () => {
    await using story = await publishedBare();
    const visitor = rawVisitor(story.containerPort);
    visitor.socket.write(Array.from({ length: 20 }, (_, index) => get(`/${index}`)).join(""));

    const active: number[] = [];
    for (let count = 0; count < 20; count++) {
      const { streamId, payload } = await story.bare.nextFrame(FrameType.HEAD);
      expect(Buffer.from(payload).toString()).toContain(`"u":"/${count}"`);
      active.push(story.session.activeStreams);
      story.answer(streamId, 200 + count);
    }
    await visitor.until(/ 219 /);

    expect(visitor.text().match(/HTTP\/1.1 \d+/g)).toEqual(
      Array.from({ length: 20 }, (_, index) => `HTTP/1.1 ${200 + index}`),
    );
    expect(Math.max(...active)).toBeLessThanOrEqual(8);
    visitor.socket.destroy();
  });

  it("are refused where hundreds of them wait, and the connection ends", async () => {
    await using story = await publishedBare();
    const visitor = rawVisitor(story.containerPort);
    visitor.socket.write(get("/").repeat(500));

    await visitor.closed();

    expect(story.session.openedTotal).toBe(8);
  });

  it("are forgotten when the visitor leaves", async () => {
    await using story = await publishedBare();
    const visitor = rawVisitor(story.containerPort);
    visitor.socket.write(get("/").repeat(5));
    for (let count = 0; count < 5; count++) await story.bare.nextFrame(FrameType.HEAD);
    visitor.socket.destroy();

    for (let count = 0; count < 5; count++) await story.bare.nextFrame(FrameType.RESET);

    expect([story.session.openedTotal, story.session.activeStreams]).toEqual([5, 0]);
    const { requests } = (await story.relay.operate("/requests")) as { requests: readonly { status: number }[] };
    expect(requests.map(({ status }) => status)).toEqual([499, 499, 499, 499, 499]);
  });
});

describe("Trailers", () => {
  const spoofed = [
    ["X-Forwarded-For", "6.6.6.6"],
    ["x_forwarded_proto", "https"],
    ["Content-Length", "5"],
    ["Transfer-Encoding", "chunked"],
    ["Host", "other"],
    ["Authorization", "Basic eA=="],
    ["Cookie", "a=1"],
    ["Connection", "close"],
    ["X-Sum", "4"],
  ] as const;

  it("of a visitor cannot say what headers may not, or what decided on the request already", async () => {
    await using story = await publishedBare();
    const visitor = rawVisitor(story.containerPort);
    // Those that would frame the body anew, the parser refuses.
    const sent = spoofed.filter(([name]) => name !== "Content-Length" && name !== "Transfer-Encoding");
    const lines = sent.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    visitor.socket.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n${lines}\r\n`,
    );

    const { payload } = await story.bare.nextFrame(FrameType.TRAILERS);

    expect(decodeTrailers(payload)).toEqual(["X-Sum", "4"]);
    visitor.socket.destroy();
  });

  it("of a response cannot frame it anew", async () => {
    await using story = await publishedBare();
    const visitor = rawVisitor(story.containerPort);
    visitor.socket.write(get("/"));
    const { streamId } = await story.bare.nextFrame(FrameType.HEAD);
    const headers = ["Trailer", "X-Sum"];
    story.bare.frame(FrameType.HEAD, 0, streamId, encodeResponseHead({ status: 200, reason: "", headers }));
    story.bare.frame(FrameType.TRAILERS, flagEnd, streamId, encodeTrailers(spoofed.flat()));

    const text = await visitor.until(/\r\n0\r\n[^]*\r\n\r\n$/);

    expect(text.slice(text.indexOf("\r\n0\r\n"))).toBe("\r\n0\r\nX-Sum: 4\r\n\r\n");
    visitor.socket.destroy();
  });
});

it("A body of another length than its head says costs its stream at the driver, and never becomes a further request", async () => {
  const received: string[] = [];
  const over = createDeferred();
  await using relay = await startRelay();
  await using service = await startService((req, res) => {
    received.push(`${req.method} ${req.url}`);
    req.resume().on("close", () => over.resolve());
    req.on("end", () => res.end());
  });
  await using session = await driver(relay.url);
  await session.bind(expose(service.port));
  const { mux } = relay.relay.parts.sessions.all[0]!;
  const head = { method: "POST", target: "/", bindId: 1, peer: "", requestId: "" };
  const resets: unknown[] = [];

  for (const [headers, body, flags] of [
    [["Host", "a", "Content-Length", "5"], "12345GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", 0],
    [["Host", "a", "Content-Length", "50"], "12345", 0],
    [["Host", "a", "Content-Length", "50"], "", flagEnd],
  ] as const) {
    const stream = mux!.openHttp({ ...head, headers }, flags);
    if (typeof stream !== "object") throw new Error("No stream was opened.");
    const closed = createDeferred<unknown>();
    stream.handler = { onReset: ({ code }) => closed.resolve(code), onHead: () => closed.resolve("answered") };
    if (body !== "") stream.write(Buffer.from(body));
    if (flags === 0) stream.end();
    resets.push(await soon(closed.promise));
  }

  expect(resets).toEqual([9, 9, 9]);
  expect(received.every((line) => line === "POST /")).toBe(true);
});

it("A path that names a user and a password, as proxies send it, is logged without them", async () => {
  await using relay = await startRelay();
  await using bare = await bareDriver(relay.url);
  await bare.greet();
  const { containerPort } = (await bare.bind()) as { containerPort: number };
  const visitor = rawVisitor(containerPort);
  visitor.socket.write(
    `GET http://anna:secret@localhost/private HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  await visitor.closed();

  const { requests } = (await relay.operate("/requests")) as { requests: readonly { path: string; status: number }[] };

  expect(requests).toMatchObject([{ path: "/private", status: 400 }]);
});

it("A driver that asks for many bindings at a time is given no more than its number", async () => {
  await using relay = await startRelay({ limits: { maxBindings: 3 } });
  await using bare = await bareDriver(relay.url);
  await bare.greet();
  const wanted = { kind: "http", mode: "expose", containerPort: 0, host: "127.0.0.1", takeover: false } as const;
  for (let req = 2; req < 20; req++) bare.send({ t: "BIND", req, ...wanted, name: undefined, path: undefined });

  const refused = [];
  for (let count = 0; count < 15; count++) refused.push((await bare.next("BIND_ERR")).code);
  for (let count = 0; count < 3; count++) await bare.next("BIND_OK");

  expect(new Set(refused)).toEqual(new Set(["BIND_CAP_EXCEEDED"]));
});
