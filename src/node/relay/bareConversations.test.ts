import { bareDriver } from "../../__tests__/support/bareDriver";
import { startRelay, visit } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";

describe("a driver of frames alone", () => {
  it.each([
    ["with a body", "hello"],
    ["without a body", ""],
  ])("a driver of frames alone that answers 200 %s is sent no RESET", async (_title, body) => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    await bare.greet();
    const { containerPort, bindId } = (await bare.bind()) as { containerPort: number; bindId: number };
    const visited = visit(containerPort);
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    const head = encodeResponseHead({ status: 200, reason: "OK", headers: [], contentLength: body.length });
    bare.frame(FrameType.HEAD, body === "" ? flagEnd : 0, streamId, head);
    if (body !== "") bare.frame(FrameType.DATA, flagEnd, streamId, Buffer.from(body));
    const { message, text } = await soon(visited);
    bare.send({ t: "UNBIND", req: 2, bindId });
    await bare.next("UNBIND_OK");

    expect([message.statusCode, text]).toEqual([200, body]);
    expect(bare.frames.filter(({ type }) => type === FrameType.RESET)).toEqual([]);
  });

  it.each([
    ["the version of another subprotocol", { v: 1 }, "VERSION"],
    ["a version that does not exist", { v: 3 }, "VERSION"],
    ["no room for a head in a frame", { maxFrame: 10 }, "BAD_FRAME"],
    ["no streams", { maxStreams: 0 }, "BAD_FRAME"],
  ])("a driver of frames alone that greets with %s is told so, and closed with 1002", async (_title, hello, code) => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    bare.send({ t: "HELLO", ...hello });

    expect(await bare.next("HELLO_ERR")).toMatchObject({ t: "HELLO_ERR", code });
    expect(await bare.closed()).toMatchObject({ code: 1002 });
    expect(relay.relay.parts.sessions.all).toEqual([]);
  });

  it("a driver of frames alone whose first message is not HELLO is closed with 1002", async () => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    bare.send({ t: "UNBIND", req: 1, bindId: 1 });

    expect(await bare.closed()).toMatchObject({ code: 1002 });
  });

  it("a driver of frames alone is told of a relay that stops, and closed with 4000 once its visitors are served", async () => {
    const relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    await bare.greet();
    const { containerPort } = (await bare.bind()) as { containerPort: number };
    const visited = visit(containerPort);
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    const stopped = relay.relay.close();

    expect(await bare.next("GOAWAY")).toMatchObject({ code: "SHUTDOWN", reconnect: true, lastStreamId: streamId });
    bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));
    expect((await soon(visited)).message.statusCode).toBe(204);
    expect(await bare.closed()).toMatchObject({ code: 4000 });
    await soon(stopped);
  });
});
