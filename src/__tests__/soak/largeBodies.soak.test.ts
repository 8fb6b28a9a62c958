import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { tunnelExpose } from "../../node";
import { startRelay, startService } from "../support/relay/relay";

const bytes = 1024 ** 3;

/** A body of a GiB, every piece of it another one, and the hash of what was read of it. */
function largeBody() {
  const hash = createHash("sha256");
  const piece = Buffer.alloc(65_536);
  const pieces = function* (): Iterable<Buffer> {
    for (let sent = 0; sent < bytes; sent += piece.length) {
      const next = Buffer.from(piece);
      next.writeUInt32BE(sent / piece.length);
      hash.update(next);
      yield next;
    }
  };
  return { body: Readable.from(pieces(), { objectMode: false }), sum: () => hash.digest("hex") };
}

async function sumOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of source) hash.update(piece);
  return hash.digest("hex");
}

it("a body of a GiB arrives byte for byte, up and down", async () => {
  await using relay = await startRelay();
  const download = largeBody();
  await using service = await startService((req, res) => {
    if (req.method === "POST") void sumOf(req).then((sum) => res.end(sum));
    else void pipeline(download.body, res);
  });
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const at = { host: "127.0.0.1", port: handle.containerPort, agent: false };
  const upload = largeBody();
  const posting = httpRequest({ ...at, method: "POST" });
  const answered = once(posting, "response") as Promise<[IncomingMessage]>;
  await pipeline(upload.body, posting);
  const [posted] = await answered;
  const uploaded = await text(posted);
  const [got] = (await once(httpRequest(at).end(), "response")) as [IncomingMessage];
  const downloaded = await sumOf(got as AsyncIterable<Uint8Array>);

  expect(uploaded).toBe(upload.sum());
  expect(downloaded).toBe(download.sum());
  expect(handle.session.state).toBe("connected");
}, 300_000);
