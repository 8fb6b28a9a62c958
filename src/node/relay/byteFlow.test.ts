import { request as httpRequest, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { startService, startTcpService, visit } from "../../__tests__/support/relay/relay";
import { createDeferred } from "../../__tests__/support/deferred";
import { soon } from "../../__tests__/support/soon";
import { receiveInto } from "./byteFlow";

const body = Buffer.alloc(300_000, "x");

/** Counts what a stream is told was consumed, until it is all of the body. */
function countConsumed() {
  const whole = createDeferred();
  let total = 0;
  return {
    whole: whole.promise,
    total: () => total,
    consumed(bytes: number) {
      total += bytes;
      if (total >= body.length) whole.resolve();
    },
  };
}

/** As a peer sends it whose last frame has the end. */
function receiveWhole(destination: Writable, stream: ReturnType<typeof countConsumed>): void {
  const receive = receiveInto(destination, stream);
  receive(body.subarray(0, 100_000));
  receive(body.subarray(100_000));
  destination.end();
}

describe("What a stream received counts as consumed to its last byte, also where its end came before the destination drained,", () => {
  it("by a response", async () => {
    const stream = countConsumed();
    await using service = await startService((_req: unknown, res: ServerResponse) => receiveWhole(res, stream));

    const reply = await visit(service.port, {});
    await soon(stream.whole);

    expect(reply.body.length).toBe(body.length);
    expect(stream.total()).toBe(body.length);
  });

  it("by a request", async () => {
    const stream = countConsumed();
    const received = createDeferred<number>();
    await using service = await startService((req, res) => {
      void buffer(req).then((bytes) => (received.resolve(bytes.length), res.end()));
    });
    const request = httpRequest({ port: service.port, host: "127.0.0.1", method: "POST", agent: false });
    request.on("response", (message) => message.resume());

    receiveWhole(request, stream);

    expect(await soon(received.promise)).toBe(body.length);
    await soon(stream.whole);
    expect(stream.total()).toBe(body.length);
  });

  it("by a socket", async () => {
    const stream = countConsumed();
    const received = createDeferred<number>();
    await using service = await startTcpService(
      (socket: Socket) => void buffer(socket).then((bytes) => received.resolve(bytes.length)),
    );

    receiveWhole(connect(service.port, "127.0.0.1"), stream);

    expect(await soon(received.promise)).toBe(body.length);
    await soon(stream.whole);
    expect(stream.total()).toBe(body.length);
  });

  it("and by one that is lost, whatever arrives for it later", async () => {
    const stream = countConsumed();
    await using service = await startTcpService((socket: Socket) => socket.pause());
    const socket = connect(service.port, "127.0.0.1");
    const receive = receiveInto(socket, stream);
    receive(body.subarray(0, 100_000));
    const closed = new Promise((resolve) => socket.once("close", resolve));

    socket.destroy();
    await closed;
    receive(body.subarray(100_000));

    expect(stream.total()).toBe(body.length);
  });
});

it("A small piece that waits for its destination does not keep the memory of the message that it arrived in", () => {
  const kept: number[] = [];
  const destination = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer) => void kept.push(chunk.buffer.byteLength),
  });
  const message = new Uint8Array(60_000);

  receiveInto(destination, { consumed() {} })(message.subarray(0, 10));

  expect(kept).toEqual([10]);
});
