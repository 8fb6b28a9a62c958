import { Agent } from "node:http";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { startRelay } from "../../__tests__/support/bareRelay";
import { rejectionOf } from "../../__tests__/support/failures";
import { visit } from "../../__tests__/support/relay/relay";
import { soon } from "../../__tests__/support/soon";
import { encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";

it.each([
  ["shorter", "four", flagEnd],
  ["longer", "sixsix", 0],
])("a response that is %s than its driver said is cut, and never looks whole", async (_title, body, flags) => {
  await using relay = await startRelay();
  await using bare = await bareDriver(relay.url);
  await bare.greet();
  const bound = await bare.bind();
  const agent = new Agent({ keepAlive: true });
  const visitor = visit("containerPort" in bound ? bound.containerPort : 0, { agent });

  const { streamId } = await bare.nextFrame(FrameType.HEAD);
  const headers = ["Content-Length", "5"];
  bare.frame(FrameType.HEAD, 0, streamId, encodeResponseHead({ status: 200, reason: "OK", headers }));
  bare.frame(FrameType.DATA, flags, streamId, Buffer.from(body));

  expect(await rejectionOf(soon(visitor))).toMatchObject({ code: "ECONNRESET" });
  const { payload } = await bare.nextFrame(FrameType.RESET);
  expect(Buffer.from(payload).readUInt16BE(0)).toBe(9);
  agent.destroy();
});

it("a small response arrives with every byte it has, whether its length was stated or not", async () => {
  await using relay = await startRelay();
  await using bare = await bareDriver(relay.url);
  await bare.greet();
  const bound = await bare.bind();
  const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  for (const headers of [["Content-Length", "256"], []]) {
    const visitor = visit("containerPort" in bound ? bound.containerPort : 0, {});
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    bare.frame(FrameType.HEAD, 0, streamId, encodeResponseHead({ status: 200, reason: "OK", headers }));
    bare.frame(FrameType.DATA, flagEnd, streamId, body);

    expect((await soon(visitor)).body).toEqual(body);
  }
});
