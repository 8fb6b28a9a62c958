import type { IncomingMessage } from "node:http";
import { token } from "../../support/exposure";
import { startBatchTest, type BatchTest } from "./batchDefinitions";

/** The numbers of the calls that were answered, by the pieces of the reply. One piece has a length, several are chunks. */
async function piecesOf({ exposure }: BatchTest, paths: readonly string[]): Promise<number[][]> {
  const body = paths.map((path, n) => `${n} ${path}\n`).join("");
  const connection = exposure.connect();
  connection.write(
    `POST /__runner/batch HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-runner-token: ${token}\r\n` +
      `content-type: application/x-runner-batch\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const text = await connection.closed;
  const numbers = (lines: string): number[] => [...lines.matchAll(/^(\d+) 200 /gm)].map(([, n]) => Number(n));
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const pieces = rest.join("\r\n\r\n");
  if (!/transfer-encoding: chunked/i.test(head)) return [numbers(pieces)];
  return pieces
    .split(/(?:^|\r\n)[0-9a-f]+\r\n/)
    .map(numbers)
    .filter((piece) => piece.length > 0);
}

const echo = '/task/batch.echo {} {"input":1}';
const numbersFrom = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe("a server that has nothing else to do", () => {
  it("answers the first half of a large batch before it begins with the second", async () => {
    await using test = await startBatchTest();

    const pieces = await piecesOf(test, Array<string>(64).fill(echo));

    expect(pieces).toEqual([numbersFrom(0, 32), numbersFrom(32, 64)]);
  });

  it("answers a batch of less than 48 calls as a whole", async () => {
    await using test = await startBatchTest();

    expect(await piecesOf(test, Array<string>(47).fill(echo))).toEqual([numbersFrom(0, 47)]);
  });
});

it("a server that is busy with another batch answers a large one as a whole", async () => {
  await using test = await startBatchTest();
  const waiting = test.post(['0 /task/batch.wait {} {"input":"other"}']);
  await test.doors.of("other").arrived.promise;

  const pieces = await piecesOf(test, Array<string>(64).fill(echo));
  test.doors.of("other").opened.resolve();

  expect(pieces).toEqual([numbersFrom(0, 64)]);
  expect((await waiting).status).toBe(200);
});

it("calls of the second half that wait do not keep those of the first from being answered, nor the other way round", async () => {
  await using test = await startBatchTest();
  await using client = test.connect();

  const calls = Array.from({ length: 64 }, (_, n) =>
    client.task(n % 32 === 0 ? "batch.wait" : "batch.echo", String(n)),
  );
  const quick = await Promise.all(calls.filter((_, n) => n % 32 !== 0));
  test.doors.of("32").opened.resolve();
  expect(await calls[32]).toBe("32");
  test.doors.of("0").opened.resolve();

  expect(await calls[0]).toBe("0");
  expect(quick).toHaveLength(62);
  expect(test.requests).toEqual(["/__runner/batch"]);
});

it("the second half of a batch does not begin once its caller has left", async () => {
  await using test = await startBatchTest();
  test.exposure.handlers.server?.once("request", ({ socket }: IncomingMessage) => {
    void test.doors.of("first").arrived.promise.then(() => socket.destroy());
  });
  const paths = ['/task/batch.wait {} {"input":"first"}', ...Array<string>(63).fill(echo)];

  const outcome = await test.post(paths.map((path, n) => `${n} ${path}`)).catch(() => "cut");
  await test.post(['0 /task/batch.echo {} {"input":"next"}']);

  expect(outcome).toBe("cut");
  expect(test.calls).toHaveLength(33);
});
