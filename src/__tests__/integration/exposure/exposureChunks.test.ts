import { once } from "node:events";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { r, readInputFileToBuffer, type InputFile } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import {
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  sentinel,
  startExposure,
  token,
  type TestExposure,
} from "../../support/exposure";

/**
 * A chunk of one byte costs its sender six and whoever keeps it a hundred. Limits count bytes, so that what they allow
 * must not become a hundred times as much memory.
 */

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is alive, in bytes. */
function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

const chunkCount = 400_000;
const allowedBytes = 12 * 1024 * 1024;

const chunk = (bytes: Buffer): string => `${bytes.length.toString(16)}\r\n${bytes.toString("latin1")}\r\n`;
const oneByteChunks = "1\r\nx\r\n".repeat(chunkCount);

/** Sends the beginning of a chunked request, and gives the server's side of its connection once it has read it all. */
async function begin(exposure: TestExposure, contentType: string, body: string) {
  const connected = once(exposure.handlers.server as NonNullable<TestExposure["handlers"]["server"]>, "connection");
  const connection = exposure.connect();
  const [socket] = (await connected) as [Socket];
  const head = `POST /__runner/task/take HTTP/1.1\r\nhost: x\r\nx-runner-token: ${token}\r\n`;
  const request = Buffer.from(`${head}content-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n${body}`);
  connection.write(request);
  const endsAt = performance.now() + 20_000;
  while (socket.bytesRead < request.length && performance.now() < endsAt) await new Promise(setImmediate);
  return connection;
}

it("an exposure keeps little more of a JSON body than its bytes", async () => {
  const take = r
    .task("take")
    .run(async (input: string) => input.length)
    .build();
  await using exposure = await startExposure([take]);
  const before = usedBytes();
  const connection = await begin(exposure, "application/json", chunk(Buffer.from('{"input":"')) + oneByteChunks);

  const keptBytes = usedBytes() - before;
  connection.write(`${chunk(Buffer.from('"}'))}0\r\n\r\n`);
  const reply = await connection.until(/result/);

  expect(reply).toContain(`"result":${chunkCount}`);
  expect(keptBytes).toBeLessThan(allowedBytes);
  connection.socket.destroy();
}, 60_000);

it("an exposure keeps little more of a file that waits to be read than its bytes", async () => {
  const [measured, go] = [createDeferred<number>(), createDeferred()];
  const take = r
    .task("take")
    .run(async ({ a, b }: { a: InputFile<Readable>; b: InputFile<Readable> }) => {
      // It comes behind the other.
      await readInputFileToBuffer(b);
      measured.resolve(usedBytes());
      await go.promise;
      return (await readInputFileToBuffer(a)).toString() === "x".repeat(chunkCount);
    })
    .build();
  await using exposure = await startExposure([take]);
  const [start, rest] = formOf(
    manifestPart({ a: sentinel("A"), b: sentinel("B") }),
    filePart("A", "CONTENT"),
    filePart("B", "b"),
  )
    .toString()
    .split("CONTENT") as [string, string];
  const before = usedBytes();
  const body = chunk(Buffer.from(start)) + oneByteChunks + chunk(Buffer.from(rest)) + "0\r\n\r\n";
  const connection = await begin(exposure, formHeaders["content-type"], body);

  const keptBytes = (await measured.promise) - before;
  go.resolve();
  const reply = await connection.until(/result/);

  expect(reply).toContain('"result":true');
  expect(keptBytes).toBeLessThan(allowedBytes);
  connection.socket.destroy();
}, 60_000);
