import { request } from "node:http";
import { once } from "node:events";
import { createHash } from "node:crypto";
import { bareDriver, type BareDriver } from "../../__tests__/support/bareDriver";
import { driver, expose, startRelay, startService, visit } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { stopTime } from "../../__tests__/support/stopTime";
import { decodeRequestHead, encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";

/** Answers one request of a visitor with 200 and a body. */
async function answer(bare: BareDriver, text: string): Promise<void> {
  const { streamId } = await bare.nextFrame(FrameType.HEAD);
  bare.frame(FrameType.ACCEPT, 0, streamId);
  bare.frame(FrameType.HEAD, 0, streamId, encodeResponseHead({ status: 200, reason: "OK", headers: [] }));
  bare.frame(FrameType.DATA, flagEnd, streamId, Buffer.from(text));
}

const portOf = (bound: { readonly t: string; readonly containerPort?: number }): number => bound.containerPort ?? 0;

describe("a session that lost its connection", () => {
  it("a session that lost its connection is resumed by the token of its last greeting, and by no older one", async () => {
    await using relay = await startRelay();
    const first = await bareDriver(relay.url);
    const hello = await first.greet();
    const bound = await first.bind();
    first.ws.terminate();
    await first.closed();

    await using second = await bareDriver(relay.url);
    const again = await second.greet({ resume: { sessionId: hello.sessionId, token: hello.resumeToken } });
    await using third = await bareDriver(relay.url);
    const late = await third.greet({ resume: { sessionId: hello.sessionId, token: hello.resumeToken } });

    expect(again).toMatchObject({ resumed: true, sessionId: hello.sessionId });
    expect(again.bindings).toEqual([
      { kind: "http", mode: "expose", containerPort: portOf(bound), bindId: (bound as { bindId: number }).bindId },
    ]);
    expect(again.resumeToken).not.toBe(hello.resumeToken);
    expect(late.resumed).toBe(false);
    expect(late.sessionId).not.toBe(hello.sessionId);
  });

  it.each([
    ["by its id and the same caller", "anna", "anna", undefined, true],
    ["by its id and another caller", "anna", "berta", undefined, false],
    ["with the right token and another caller", "anna", "berta", "right", false],
    ["with a wrong token and the same caller", "anna", "anna", "wrong", false],
    ["by its id and a caller without a name", "anonymous", "anonymous", undefined, false],
    ["with the right token and a caller without a name", "anonymous", "anonymous", "right", true],
  ])("a session that lost its connection is asked for %s", async (_title, owner, caller, token, resumed) => {
    await using relay = await startRelay();
    const first = await bareDriver(relay.url, { token: owner });
    const { sessionId, resumeToken } = await first.greet();
    await first.bind();
    first.ws.terminate();
    await first.closed();

    await using second = await bareDriver(relay.url, { token: caller });
    const sent = token === "right" ? resumeToken : token;
    const hello = await second.greet({ resume: { sessionId, token: sent } });

    expect(hello.resumed).toBe(resumed);
  });

  it("a session that lost its connection leaves 503 and Retry-After behind until its grace is over, and then nothing", async () => {
    using time = stopTime();
    await using relay = await startRelay({ graceMs: 150 });
    const bare = await bareDriver(relay.url);
    await bare.greet();
    const port = portOf(await bare.bind());
    bare.ws.terminate();
    await bare.closed();

    const parked = await visit(port);
    const overview = await relay.operate("/tunnels");

    time.advance(150);

    expect([parked.message.statusCode, parked.message.headers["retry-after"]]).toEqual([503, "5"]);
    expect(parked.message.headers["x-hoody-tunnel-error"]).toBe("TUNNEL_ORPHANED");
    expect(overview).toMatchObject({ sessions: [], orphanedSessions: 1, totalBindings: 1 });
    expect(await soon(untilRefused(port))).toBe("ECONNREFUSED");
  });

  it("a session that lost its connection to a violation of the protocol is parked as well", async () => {
    await using relay = await startRelay();
    const bare = await bareDriver(relay.url);
    const hello = await bare.greet();
    const port = portOf(await bare.bind());
    bare.ws.send(Buffer.from("this is no frame"));
    const closed = await bare.closed();

    const parked = await visit(port);
    await using second = await bareDriver(relay.url);
    const again = await second.greet({ resume: { sessionId: hello.sessionId, token: hello.resumeToken } });

    expect(await bare.next("GOAWAY")).toMatchObject({ code: "PROTOCOL_ERROR" });
    expect(closed.code).toBe(1002);
    expect(parked.message.statusCode).toBe(503);
    expect(again.resumed).toBe(true);
  });

  it("a session that lost its connection to silence is told IDLE_TIMEOUT, and parked", async () => {
    using time = stopTime();
    await using relay = await startRelay({ pingMs: 30, deadMs: 90 });
    const bare = await bareDriver(relay.url);
    await bare.greet();
    const port = portOf(await bare.bind());
    time.advance(90);
    const closed = await bare.closed();

    expect(await bare.next("GOAWAY")).toMatchObject({ code: "IDLE_TIMEOUT", reconnect: true });
    expect(closed.code).toBe(4001);
    expect((await visit(port)).message.statusCode).toBe(503);
  });

  it.each([
    ["GOAWAY", (bare: BareDriver) => bare.send({ ...goodbye, code: "SHUTDOWN" })],
    ["close code 1000", (bare: BareDriver) => bare.ws.close(1000)],
  ])("a session that lost its connection by %s of its driver is not parked", async (_title, leave) => {
    await using relay = await startRelay();
    const bare = await bareDriver(relay.url);
    await bare.greet();
    const port = portOf(await bare.bind());
    leave(bare);
    await bare.closed();

    expect(await relay.operate("/tunnels")).toMatchObject({ orphanedSessions: 0, totalBindings: 0 });
    await expect(visit(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

const goodbye = { t: "GOAWAY", lastStreamId: 0, drainMs: 0, reconnect: false, message: "" } as const;

/** Visits again and again until nothing listens there. */
async function untilRefused(port: number): Promise<string | undefined> {
  for (;;) {
    const code = await visit(port).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    // What waits to be accepted when a listener closes is reset.
    if (code !== undefined && code !== "ECONNRESET") return code;
  }
}

it("a session that is resumed while its connection seems alive closes the older one with SUPERSEDED", async () => {
  await using relay = await startRelay();
  await using first = await bareDriver(relay.url);
  const hello = await first.greet();
  const port = portOf(await first.bind());

  await using second = await bareDriver(relay.url);
  const again = await second.greet({ resume: { sessionId: hello.sessionId, token: hello.resumeToken } });
  const visited = visit(port);
  await answer(second, "from the second");

  expect(again.resumed).toBe(true);
  expect(await first.closed()).toMatchObject({ code: 4009 });
  expect(await first.next("GOAWAY")).toMatchObject({ code: "SUPERSEDED", reconnect: false });
  expect((await soon(visited)).text).toBe("from the second");
});

it("a session that is resumed uses no id of a stream again", async () => {
  await using relay = await startRelay();
  const first = await bareDriver(relay.url);
  const hello = await first.greet();
  const port = portOf(await first.bind());
  const before = visit(port);
  await answer(first, "1");
  await before;
  first.ws.terminate();
  await first.closed();

  await using second = await bareDriver(relay.url);
  await second.greet({ resume: { sessionId: hello.sessionId, token: hello.resumeToken } });
  const visited = visit(port);
  const { streamId } = await second.nextFrame(FrameType.HEAD);
  visited.catch(() => {});

  expect(streamId).toBe(3);
});

it("a session without bindings and visitors is ended when idleMs is over, and one with a binding is not", async () => {
  using time = stopTime();
  await using relay = await startRelay({ idleMs: 60 });
  await using busy = await bareDriver(relay.url);
  await busy.greet();
  await busy.bind();
  await using idle = await bareDriver(relay.url);
  await idle.greet();

  time.advance(60);
  const closed = await idle.closed();

  expect(closed.code).toBe(1000);
  expect(await idle.next("GOAWAY")).toMatchObject({ code: "IDLE" });
  expect(busy.messages).toEqual([]);
});

describe("a session that an operator ends", () => {
  it("a session that an operator ends serves the visitors it has, answers 404 to others, and closes when they are served", async () => {
    await using relay = await startRelay({ publicUrlPattern: "http://{name}.tun.localhost" });
    await using bare = await bareDriver(relay.url);
    const { sessionId } = await bare.greet();
    await bare.bind({ name: "web" });
    const ask = () => visit(relay.relay.port, "/", { host: "web.tun.localhost" });
    const slow = ask();
    const head = await bare.nextFrame(FrameType.HEAD);

    await relay.operate(`/sessions/${sessionId}?grace_ms=5000`, "DELETE");
    const goaway = await bare.next("GOAWAY");
    const meanwhile = await ask();
    bare.frame(FrameType.HEAD, 0, head.streamId, encodeResponseHead({ status: 200, reason: "OK", headers: [] }));
    bare.frame(FrameType.DATA, flagEnd, head.streamId, Buffer.from("served"));

    expect(goaway).toMatchObject({ code: "ADMIN_KILL", drainMs: 5000, reconnect: false });
    expect(meanwhile.message.statusCode).toBe(404);
    expect((await soon(slow)).text).toBe("served");
    expect(await bare.closed()).toMatchObject({ code: 4003 });
    expect(await relay.operate("/tunnels")).toMatchObject({ sessions: [], orphanedSessions: 0, totalBindings: 0 });
  });

  it("a session that an operator ends is cut when its visitors take longer than the grace, and is not parked", async () => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    const { sessionId, resumeToken } = await bare.greet();
    const slow = visit(portOf(await bare.bind()));
    await bare.nextFrame(FrameType.HEAD);

    await relay.operate(`/sessions/${sessionId}?grace_ms=20`, "DELETE");
    const closed = await bare.closed();
    await using second = await bareDriver(relay.url);

    expect(closed.code).toBe(4003);
    expect((await soon(slow)).message.statusCode).toBe(502);
    expect(await second.greet({ resume: { sessionId, token: resumeToken } })).toMatchObject({ resumed: false });
  });

  it("a session that an operator ends while it waits for its driver is dropped at once", async () => {
    await using relay = await startRelay();
    const bare = await bareDriver(relay.url);
    const { sessionId } = await bare.greet();
    const port = portOf(await bare.bind());
    bare.ws.terminate();
    await bare.closed();
    await visit(port);

    await relay.operate(`/sessions/${sessionId}`, "DELETE");

    expect(await relay.operate("/tunnels")).toMatchObject({ orphanedSessions: 0, totalBindings: 0 });
    await expect(visit(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

it("a driver comes back to the next relay when its own stops, and a request on its way is served before", async () => {
  const first = await startRelay({ drainMs: 5_000 });
  const { port: relayPort } = first.relay;
  let release: () => void = () => {};
  await using service = await startService((req, res) => {
    if (req.url === "/slow") release = () => void res.end("slow");
    else res.end("quick");
  });
  await using session = await driver(first.url);
  const bound = await session.bind(expose(service.port));
  const slow = visit(bound.containerPort, "/slow");
  await soon(once(service.server, "request"));
  const told = once(session, "goaway");
  const stopped = first[Symbol.asyncDispose]();
  const [goaway] = (await soon(told)) as unknown[];
  const anew = once(session, "bound");
  release();
  const served = await soon(slow);
  await soon(stopped);
  await using second = await startRelay({ listen: { port: relayPort } });
  await soon(anew);

  expect(goaway).toMatchObject({ code: "SHUTDOWN", reconnect: true });
  expect(served.text).toBe("slow");
  expect((await visit(bound.containerPort)).text).toBe("quick");
  expect(second.relay.parts.sessions.all).toHaveLength(1);
});

it("a relay that takes smaller frames than its driver offers is sent no larger ones", async () => {
  const sent = Buffer.alloc(200_000, "abc");
  await using service = await startService((_req, res) => void res.end(sent));
  await using relay = await startRelay({ limits: { maxFrame: 2_048 } });
  await using session = await driver(relay.url);
  const bound = await session.bind(expose(service.port));

  const { text } = await soon(visit(bound.containerPort));

  expect(createHash("sha256").update(text).digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
});

it("a relay sends a driver no larger frames than it asked for", async () => {
  await using relay = await startRelay();
  await using bare = await bareDriver(relay.url);
  await bare.greet({ maxFrame: 1_024 });
  const port = portOf(await bare.bind());
  const req = request({ host: "127.0.0.1", port, method: "POST", agent: false });
  req.on("error", () => {}).end(Buffer.alloc(5_000));

  const head = decodeRequestHead((await bare.nextFrame(FrameType.HEAD)).payload);
  const sizes: number[] = [];
  for (let bytes = 0; bytes < 5_000;) {
    const { payload } = await bare.nextFrame(FrameType.DATA);
    sizes.push(payload.length);
    bytes += payload.length;
  }
  req.destroy();

  expect(head.contentLength).toBe(5_000);
  expect(Math.max(...sizes)).toBe(1_024);
});
