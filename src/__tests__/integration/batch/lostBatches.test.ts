import type { ServerResponse } from "node:http";
import { createHttpClient, createHttpMixedClient } from "../../../node";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer, type Answer } from "../../support/httpPeer";
import { stopTime } from "../../support/stopTime";

const batchType = "application/x-runner-batch";
const ok = (n: number): string => `${n} 200 {"ok":true,"result":${n}}\n`;
const isBatch = (path: string | undefined): boolean => path === "/__runner/batch";

const clients = { mixed: createHttpMixedClient, fetch: createHttpClient };

describe.each(Object.entries(clients))("a client that batches over %s, whose server", (_kind, createClient) => {
  async function callThree(answer: Answer) {
    await using peer = await startPeer(answer);
    await using client = createClient({ baseUrl: peer.baseUrl, batch: true });
    const results = await Promise.all([0, 1, 2].map((input) => client.safe<number, unknown>("t", input)));
    return { results, received: peer.received };
  }
  const begin = (response: ServerResponse, text: string): void => {
    response.writeHead(200, { "content-type": batchType });
    response.write(text);
  };
  const lost = { ok: false, error: { code: "BATCH_LOST", details: { delivered: "unknown" } } };

  it.each<[string, Answer]>([
    [
      "cuts the connection after one reply",
      (_request, response) => {
        begin(response, ok(1));
        setImmediate(() => response.destroy());
      },
    ],
    ["ends its reply after one", (_request, response) => (begin(response, ok(1)), void response.end())],
    [
      "cuts a reply within a line",
      (_request, response) => (begin(response, `${ok(1)}2 200 {"ok":tr`), void response.end()),
    ],
    [
      "goes on with a line that makes no sense",
      (_request, response) => (begin(response, `${ok(1)}nonsense\n${ok(2)}`), void response.end()),
    ],
    [
      "goes on with a status that is none",
      (_request, response) => (begin(response, `${ok(1)}2 99 {}\n`), void response.end()),
    ],
    [
      "goes on with a number of many digits",
      (_request, response) => (begin(response, `${ok(1)}${"9".repeat(99)} 200 {}\n`), void response.end()),
    ],
    [
      "answers one call twice and one that was not made",
      (_request, response) => (begin(response, `${ok(1)}${ok(1)}${ok(77)}`), void response.end()),
    ],
  ])("%s: the others are lost, and are not sent again", async (_what, answer) => {
    const { results, received } = await callThree(answer);

    expect(results).toMatchObject([lost, { ok: true, value: 1 }, lost]);
    expect(received).toHaveLength(1);
    const { error } = results[0] as { error: Error };
    expect(error.message).toContain('task "t": POST');
  });

  it("replies with bytes that are no text: the calls are lost", async () => {
    const { results } = await callThree((_request, response) => {
      begin(response, "");
      response.end(Buffer.from([0x32, 0x20, 0xff, 0x0a]));
    });

    expect(results).toMatchObject([lost, lost, lost]);
  });

  it("cuts the connection before any reply: every call is lost", async () => {
    const { results, received } = await callThree((request) => request.socket.destroy());

    expect(results).toMatchObject([lost, lost, lost]);
    expect(received).toHaveLength(1);
  });

  it("cannot be reached: every call fails as by itself, with an error of its own", async () => {
    await using gone = await startPeer(() => {});
    const { baseUrl } = gone;
    await gone[Symbol.asyncDispose]();
    await using client = createClient({ baseUrl, batch: true });

    const [one, two] = await Promise.all(["a", "b"].map((id) => rejectionOf(client.task(id))));

    expect(one?.message).toContain('task "a"');
    expect(two?.message).toContain('task "b"');
    expect([one, two]).not.toContainEqual(expect.objectContaining({ code: "BATCH_LOST" }));
  });

  it.each<[number, string]>([
    [401, "UNAUTHORIZED"],
    [413, "PAYLOAD_TOO_LARGE"],
    [503, "SERVER_CLOSING"],
    [404, "FORBIDDEN"],
  ])("refuses the batch with %d %s: so does every call fail", async (status, code) => {
    const { results, received } = await callThree((_request, response) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ ok: false, error: { code, message: code } }));
    });

    expect(results).toMatchObject([0, 1, 2].map(() => ({ ok: false, error: { code } })));
    expect(received).toHaveLength(1);
  });

  it.each<[string, string]>([
    ["an envelope", "application/json"],
    ["a page", "text/html"],
  ])("replies to the batch with %s: that is no reply to any call", async (_what, type) => {
    const { results, received } = await callThree((_request, response) => {
      response.writeHead(200, { "content-type": type });
      response.end('{"ok":true,"result":"of whom?"}');
    });

    expect(results).toMatchObject([0, 1, 2].map(() => ({ ok: false, error: { code: "INVALID_RESPONSE" } })));
    expect(received).toHaveLength(1);
  });

  it("takes no batches: the calls go one by one, and so do later ones", async () => {
    await using peer = await startPeer((request, response) => {
      const found = !isBatch(request.url);
      response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
      response.end(
        found ? '{"ok":true,"result":1}' : '{"ok":false,"error":{"code":"NOT_FOUND","message":"Not Found"}}',
      );
    });
    await using client = createClient({ baseUrl: peer.baseUrl, batch: true });
    const callBoth = () => Promise.all([client.task("a"), client.task("b")]);

    expect([await callBoth(), await callBoth()]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    const paths = peer.received.map(({ path }) => path);
    expect(paths[0]).toBe("/__runner/batch");
    expect(paths.slice(1).sort()).toEqual(["a", "a", "b", "b"].map((id) => `/__runner/task/${id}`));
  });

  it.each([
    ["before a minute is over, which is when the calls go one by one", 59_999, 1],
    ["after a minute, which is when a batch is tried again", 60_001, 2],
  ])("takes no batches, and is called again %s", async (_when, ms, batches) => {
    await using peer = await startPeer((request, response) => {
      const code = "NOT_FOUND";
      if (isBatch(request.url)) sendJson(response, { ok: false, error: { code, message: "Not Found" } }, 404);
      else sendJson(response, { ok: true, result: 1 });
    });
    await using client = createClient({ baseUrl: peer.baseUrl, batch: true });
    using time = stopTime();
    const callBoth = () => Promise.all([client.task("a"), client.task("b")]);
    await callBoth();

    time.advance(ms);
    await callBoth();

    expect(peer.received.filter(({ path }) => isBatch(path))).toHaveLength(batches);
    expect(peer.received.filter(({ path }) => !isBatch(path))).toHaveLength(4);
  });

  it("is behind something that answers 404 by itself: nothing is sent again", async () => {
    const { results, received } = await callThree((_request, response) => {
      response.writeHead(404, { "content-type": "text/html" });
      response.end("<h1>Not Found</h1>");
    });

    expect(results).toMatchObject([0, 1, 2].map(() => ({ ok: false, error: { code: "HTTP_ERROR" } })));
    expect(received).toHaveLength(1);
  });

  it("goes on sending after the last reply: it is left, and the client goes on", async () => {
    let stopped = 0;
    const { results } = await callThree((_request, response) => {
      begin(response, ok(0) + ok(1) + ok(2));
      const more = setInterval(() => response.write("\n".repeat(1000)), 1);
      response.on("close", () => {
        stopped += 1;
        clearInterval(more);
      });
    });

    expect(results).toMatchObject([0, 1, 2].map((value) => ({ ok: true, value })));
    expect(stopped).toBeLessThanOrEqual(1);
  });

  it("sends one endless line: the calls are lost at the limit of a reply", async () => {
    await using peer = await startPeer((_request, response) => {
      begin(response, "0 200 ");
      const more = (): void => void (response.write("x".repeat(65_536), more) || response.destroyed);
      more();
    });
    await using client = createClient({ baseUrl: peer.baseUrl, batch: true, maxReplyBytes: 100_000 });

    const results = await Promise.all([0, 1].map((input) => client.safe("t", input)));

    expect(results).toMatchObject([lost, lost]);
  });
});
