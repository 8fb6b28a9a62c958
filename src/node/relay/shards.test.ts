import { bareDriver, type BareDriver } from "../../__tests__/support/bareDriver";
import { driver, expose, startRelay, startService, visit } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";

/** A session with a primary and secondary links, all of them bare, and one binding. */
async function sharded(url: string, links: number) {
  const primary = await bareDriver(url);
  const hello = await primary.greet({ connections: links });
  const shard = { sessionId: hello.sessionId, token: hello.shardToken };
  const join = async (index: number): Promise<BareDriver> => {
    const secondary = await bareDriver(url);
    await secondary.greet({ shard: { ...shard, index } });
    return secondary;
  };
  const secondaries: BareDriver[] = [];
  for (let index = 1; index < links; index++) secondaries.push(await join(index));
  const { containerPort } = (await primary.bind()) as { containerPort: number };
  return { primary, secondaries, hello, shard, join, containerPort };
}

/** Takes the next visitor of a link. */
async function take(link: BareDriver): Promise<(status: number) => void> {
  const { streamId } = await link.nextFrame(FrameType.HEAD);
  link.frame(FrameType.ACCEPT, 0, streamId);
  return (status) =>
    link.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status, reason: "", headers: [] }));
}

const statusOf = async (visited: ReturnType<typeof visit>) => (await soon(visited)).message.statusCode;

describe("a session of several links", () => {
  it("a session of several links gives each visitor the link with the fewest", async () => {
    let answerAll: () => void = () => {};
    const held = new Promise<void>((resolve) => (answerAll = resolve));
    await using service = await startService((_req, res) => void held.then(() => res.end("ok")));
    await using relay = await startRelay();
    await using session = await driver(relay.url, "anna", { connections: 3 });
    const bound = await session.bind(expose(service.port));
    const { mux } = relay.relay.parts.sessions.all[0] ?? {};
    while (mux?.links.length !== 3) await relay.operate("/sessions");

    const visits = Array.from({ length: 30 }, () => visit(bound.containerPort));
    while (session.activeStreams < 30) await relay.operate("/sessions");
    const spread = mux.links.map(({ streams }) => streams.size);
    const listed = await relay.operate("/sessions");
    answerAll();
    const replies = await soon(Promise.all(visits));

    expect(spread).toEqual([10, 10, 10]);
    expect(listed).toMatchObject({ sessions: [{ isV2: true, links: 3, activeStreams: 30 }] });
    expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(["ok"]));
  });

  it("a session of several links that loses a secondary one loses that link's visitors alone", async () => {
    await using relay = await startRelay();
    const { primary, secondaries, join, containerPort } = await sharded(relay.url, 2);
    const secondary = secondaries[0] as BareDriver;
    const [first, second] = [visit(containerPort), visit(containerPort)];
    const [answerFirst] = [await take(primary), await take(secondary)];

    secondary.ws.terminate();
    const lost = await Promise.race([statusOf(first), statusOf(second)]);
    answerFirst(204);
    const statuses = [await statusOf(first), await statusOf(second)];
    await using again = await join(1);
    const later = [visit(containerPort), visit(containerPort)];
    for (const link of [primary, again]) (await take(link))(200);

    expect(lost).toBe(502);
    expect(statuses.sort()).toEqual([204, 502]);
    expect(await Promise.all(later.map(statusOf))).toEqual([200, 200]);
    await primary[Symbol.asyncDispose]();
  });

  it("a session of several links whose driver loses a secondary one is given it again", async () => {
    await using relay = await startRelay();
    await using session = await driver(relay.url, "anna", { connections: 2 });
    const { mux } = relay.relay.parts.sessions.all[0] ?? {};
    while (mux?.links.length !== 2) await relay.operate("/sessions");
    const before = mux.links[1];
    before?.close();
    mux.linkLost(before as NonNullable<typeof before>);
    while (mux.links.length !== 2) await relay.operate("/sessions");

    expect(mux.links[1]).not.toBe(before);
    expect(session.state).toBe("connected");
  });

  it("a session of several links that loses the primary one is parked, and all of its visitors are told", async () => {
    await using relay = await startRelay();
    const { primary, secondaries, containerPort } = await sharded(relay.url, 2);
    const secondary = secondaries[0] as BareDriver;
    const visits = [visit(containerPort), visit(containerPort)];
    for (const link of [primary, secondary]) await take(link);

    primary.ws.terminate();

    expect(await Promise.all(visits.map(statusOf))).toEqual([502, 502]);
    expect(await secondary.closed()).toMatchObject({ code: 1001 });
    expect(await statusOf(visit(containerPort))).toBe(503);
    expect(await relay.operate("/tunnels")).toMatchObject({ orphanedSessions: 1 });
  });

  it("a session of several links has one of each index: the newer takes the place of the older", async () => {
    await using relay = await startRelay();
    const { primary, secondaries, join } = await sharded(relay.url, 2);
    await using newer = await join(1);

    expect(await (secondaries[0] as BareDriver).closed()).toMatchObject({ code: 4009 });
    expect(await relay.operate("/sessions")).toMatchObject({ sessions: [{ links: 2 }] });
    await primary[Symbol.asyncDispose]();
    expect(await newer.closed()).toMatchObject({ code: 1001 });
  });

  it("a session of several links ends when its driver binds over a secondary one", async () => {
    await using relay = await startRelay();
    const { primary, secondaries } = await sharded(relay.url, 2);
    (secondaries[0] as BareDriver).send({ t: "UNBIND", req: 1, bindId: 1 });

    expect(await primary.closed()).toMatchObject({ code: 1002 });
  });

  it("a session of several links goes on when a secondary one says goodbye", async () => {
    await using relay = await startRelay();
    const { primary, secondaries, containerPort } = await sharded(relay.url, 2);
    const secondary = secondaries[0] as BareDriver;
    secondary.send({ t: "GOAWAY", code: "SHUTDOWN", lastStreamId: 0, drainMs: 0, reconnect: true, message: "" });
    secondary.ws.close(1000);
    await secondary.closed();
    const visited = visit(containerPort);
    (await take(primary))(200);

    expect(await statusOf(visited)).toBe(200);
    await primary[Symbol.asyncDispose]();
  });
});

describe("a secondary link", () => {
  it.each([
    ["with another token", { token: "guess" }, "anna", "AUTH"],
    ["of an unknown session", { sessionId: "ts_none" }, "anna", "AUTH"],
    ["of another caller", {}, "berta", "AUTH"],
    ["with the index of the primary one", { index: 0 }, "anna", "CAPACITY"],
    ["past what was granted", { index: 2 }, "anna", "CAPACITY"],
  ])("a secondary link %s is refused", async (_what, fields, token, code) => {
    await using relay = await startRelay();
    const { primary, shard } = await sharded(relay.url, 2);
    await using secondary = await bareDriver(relay.url, { token });
    secondary.send({ t: "HELLO", shard: { ...shard, index: 1, ...fields } });

    expect(await secondary.next("HELLO_ERR")).toMatchObject({ code });
    expect(await secondary.closed()).toMatchObject({ code: 1002 });
    await primary[Symbol.asyncDispose]();
  });

  it.each([
    ["the first version of the protocol", { protocols: ["hoody-tunnel.v1"] }, {}, 1],
    ["the limit of the relay", {}, { maxConnectionsPerSession: 3 }, 3],
  ])("a secondary link is granted as %s has it", async (_what, options, limits, granted) => {
    await using relay = await startRelay({ limits });
    await using primary = await bareDriver(relay.url, options);

    expect((await primary.greet({ connections: 5 })).connections).toBe(granted);
  });
});
