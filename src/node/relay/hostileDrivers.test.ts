import { bareDriver, type BareDriver } from "../../__tests__/support/bareDriver";
import { driver, expose, startRelay, startService, visit } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { flagEnd, FrameType } from "../../relay/frames";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const times = (count: number, run: () => void): void => {
  for (let index = 0; index < count; index++) run();
};

/** A driver whose visitor waits, beside one that serves; both at the same relay, for the same caller. */
async function neighbours() {
  const relay = await startRelay();
  const service = await startService((_req, res) => void res.end("ok"));
  const healthy = await driver(relay.url, "anna");
  const states: string[] = [];
  healthy.on("state", (state) => states.push(state));
  const bound = await healthy.bind(expose(service.port));
  const hostile = await bareDriver(relay.url);
  await hostile.greet();
  const { containerPort } = (await hostile.bind()) as { containerPort: number };
  const visited = visit(containerPort);
  visited.catch(() => {});
  const { streamId } = await hostile.nextFrame(FrameType.HEAD);
  return {
    hostile,
    streamId,
    visited,
    states,
    /** Whether the other driver still serves. */
    async expectService() {
      expect((await soon(visit(bound.containerPort))).text).toBe("ok");
      expect(states).toEqual([]);
    },
    async [Symbol.asyncDispose]() {
      await healthy.close();
      await hostile[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

describe("a hostile driver", () => {
  it.each<[string, number, (hostile: BareDriver, id: number) => void]>([
    ["bytes that are no frames", 1002, ({ ws }) => ws.send(Buffer.alloc(1_000, 0xee))],
    ["a frame that says it has 16 MiB", 1002, ({ ws }) => ws.send(Buffer.from("00ffffff00000001", "hex"))],
    ["a text message", 1003, ({ ws }) => ws.send("hello")],
    ["a message of more than 1 MiB", 1009, ({ ws }) => ws.send(Buffer.alloc(1_100_000))],
    [
      "a control message that nests deeply and ends early",
      1002,
      ({ frame }) => frame(FrameType.CONTROL, 0, 0, Buffer.from('{"a":'.repeat(13_000))),
    ],
    [
      "10,000 pings",
      4002,
      ({ ws }) => ws.send(Buffer.from("0600000800000000".concat("00".repeat(8)).repeat(10_000), "hex")),
    ],
    ["300 control messages", 4002, ({ send }) => times(300, () => send({ t: "UNBIND", req: 1, bindId: 99 }))],
    ["a body before its head", 1002, ({ frame }, id) => frame(FrameType.DATA, flagEnd, id, Buffer.from("ok"))],
    ["a stream of its own", 1002, ({ frame }) => frame(FrameType.HEAD, 0, 2, json({ s: 200, h: [] }))],
    ["an answer to a visitor that never came", 1002, ({ frame }, id) => frame(FrameType.ACCEPT, 0, id + 2)],
  ])("a hostile driver that sends %s ends its own session, and no other one", async (_name, code, attack) => {
    await using scene = await neighbours();
    attack(scene.hostile, scene.streamId);

    expect(await scene.hostile.closed()).toMatchObject({ code });
    await scene.expectService();
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    ["a status that is interim", json({ s: 103, h: [] })],
    ["a switch that was not asked for", json({ s: 101, h: ["Upgrade", "x", "Connection", "Upgrade"] })],
    ["a line break in a header", json({ s: 200, h: ["a", "b\r\nSet-Cookie: c=d"] })],
    ["a line break in the reason", json({ s: 200, r: "OK\r\nSet-Cookie: c=d", h: [] })],
    ["a character that no byte stands for", json({ s: 200, h: ["a", "€"] })],
    ["two lengths", json({ s: 200, h: ["Content-Length", "2", "content-length", "200"] })],
  ])("a hostile driver that answers a head with %s costs its visitor a 502, and nothing else", async (_name, head) => {
    await using scene = await neighbours();
    scene.hostile.frame(FrameType.HEAD, 0, scene.streamId, head);

    expect((await soon(scene.visited)).message.statusCode).toBe(502);
    scene.hostile.send({ t: "UNBIND", req: 9, bindId: 99 });
    expect(await scene.hostile.next("UNBIND_OK")).toMatchObject({ req: 9 });
    await scene.expectService();
  });
});
