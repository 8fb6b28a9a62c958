import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { describeTransfers } from "../../support/memory/describeTransfers";
import type { ServerAnswers } from "../../support/memory/server";
import { startProgram } from "../../support/startProgram";

// `npm run test:soak` has the same with 2 GiB.
describe("a transfer", () => describeTransfers(256, { peakMiB: 180, growthMiB: 100 }));

const KiB = 1024;
const MiB = 1024 * KiB;
const boundary = "BND";
const formType = `multipart/form-data; boundary=${boundary}`;
const manifest = `{"input":{"file":{"$runnerFile":"File","id":"F1","meta":{"name":"a"}}}}`;
const manifestPart = `--${boundary}\r\nContent-Disposition: form-data; name="__manifest"\r\n\r\n${manifest}\r\n`;
const filePart = `--${boundary}\r\nContent-Disposition: form-data; name="file:F1"; filename="a"\r\n\r\n`;
const half = "x".repeat(20 * KiB);

/** Uploads by what they are in the middle of. */
const uploads: readonly (readonly [task: string, type: string, sent: string])[] = [
  ["app.takeBytes", "application/json", `{"input":"${half}`],
  ["app.takeBytes", "application/octet-stream", half],
  ["app.takeFile", formType, manifestPart + filePart + half],
  ["app.leaveFile", formType, manifestPart + filePart + half],
  // Bytes that nobody can want yet go to a temporary file.
  ["app.takeFile", formType, filePart + half],
  ["app.takeFile", formType, manifestPart.slice(0, -10)],
];

/** Begins an upload, and gives it up in one of two ways once the server has begun to serve it. */
function giveUp(port: number, index: number): Promise<void> {
  const [task, type, sent] = uploads[index % uploads.length] as (typeof uploads)[number];
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    // The server may be first to close.
    socket.on("error", () => {}).once("close", () => resolve());
    socket.once("data", () => {
      socket.write(sent, () => {
        if (Math.floor(index / uploads.length) % 2 === 0) socket.resetAndDestroy();
        else socket.end();
      });
    });
    const head = [
      `POST /__runner/task/${task} HTTP/1.1`,
      "Host: localhost",
      `Content-Type: ${type}`,
      "Content-Length: 1000000",
      "Expect: 100-continue",
    ];
    socket.write([...head, "", ""].join("\r\n"));
  });
}

it("the process keeps nothing of 2,000 uploads that were aborted: no heap, no handle, no temporary file", async () => {
  await using server = await startProgram<ServerAnswers>("memory/server");
  const port = Number(new URL(await server.ask("baseUrl")).port);
  async function giveUpMany(count: number): Promise<void> {
    for (let done = 0; done < count; done += 40) {
      await Promise.all(Array.from({ length: 40 }, (_, index) => giveUp(port, done + index)));
    }
  }
  // What is compiled and cached on first use.
  await giveUpMany(600);
  const before = await server.ask("kept");

  await giveUpMany(2000);

  const after = await server.ask("kept");
  expect(after.connectionsEver - before.connectionsEver).toBe(2000);
  expect(after.openFiles).toBe(before.openFiles);
  expect(await readdir(server.tempDir)).toEqual([]);
  // Half a KiB for each; a single request that is kept takes several.
  expect(after.heapBytes - before.heapBytes).toBeLessThan(MiB);
}, 60_000);
