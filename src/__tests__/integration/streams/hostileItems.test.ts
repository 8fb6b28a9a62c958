import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpClient, createHttpMixedClient } from "../../../node";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { startFetchEdge, type TestFetchEdge } from "../../support/fetchEdge";
import { soon } from "../../support/soon";
import { duplex, gather, itemTasks, noted, oneThenQuiet, reading, until } from "./itemInputDefinitions";
import { plain, sold, visitor } from "./streamDefinitions";

const type = "application/x-runner-items+ndjson";
const head = (id: string, more = ""): string =>
  `POST /__runner/task/${id} HTTP/1.1\r\nHost: localhost\r\nx-runner-token: ${token}\r\ncontent-type: ${type}\r\n` +
  `transfer-encoding: chunked\r\n${more}\r\n`;
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const end = "0\r\n\r\n";
const start = (streams: object = {}, drain?: { readonly graceMs: number }): Promise<TestExposure> =>
  startExposure(itemTasks, { limits: { streams }, drain }, [sold, visitor]);

beforeEach(() => void noted.splice(0));

describe("callers whose items are made to do harm", () => {
  /** What a body is answered with. */
  async function answerTo(body: string, id = reading.id, streams?: object): Promise<{ status: number; code?: string }> {
    await using exposure = await start(streams);
    const connection = exposure.connect();
    connection.write(head(id, "connection: close\r\n") + body);
    const reply = await soon(connection.until(/\r\n\r\n.*}/s));
    connection.socket.destroy();
    const { error } = JSON.parse(reply.slice(reply.indexOf("\r\n\r\n"))) as { error?: { code: string } };
    return { status: Number(reply.slice(9, 12)), ...(error !== undefined && { code: error.code }) };
  }

  it.each([
    ["no end line", chunk('{"input":1}\n{"item":1}\n') + end, 400, "STREAM_LOST"],
    ["a line that breaks off", chunk('{"input":1}\n{"item":1') + end, 400, "STREAM_LOST"],
    ["nothing", end, 400, "STREAM_LOST"],
    ["an end that gives up", chunk('{"input":1}\n{"ok":false}\n') + end, 400, "STREAM_LOST"],
    ["no line of an input", chunk('{"item":1}\n{"ok":true}\n') + end, 400, "INVALID_JSON"],
    ["a first line that is no object", chunk('[1]\n{"ok":true}\n') + end, 400, "INVALID_JSON"],
    ["a line that is no document", chunk('{"input":1}\n{"item":\n') + end, 400, "INVALID_JSON"],
  ])("%s is refused", async (_name, body, status, code) => {
    await expect(answerTo(body)).resolves.toEqual({ status, code });
  });

  it("lines of later versions are ignored, and so is what comes after the end", async () => {
    await expect(answerTo(chunk('{"input":1}\n{"later":1}\n\n{"ok":true}\n{"item":2}\n') + end)).resolves.toEqual({
      status: 200,
    });
    expect(noted).toEqual(["end"]);
  });

  it("keys that would change prototypes change none", async () => {
    await using exposure = await start();
    const reply = await exposure.post(
      `/__runner/task/${gather.id}`,
      '{"input":{"__proto__":{"polluted":1}}}\n{"item":{"constructor":{"prototype":{"polluted":1}}}}\n{"ok":true}\n',
      { "content-type": type },
    );

    await reply.text();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("a line without an end is refused once it is too long, as the input and as an item", async () => {
    const endless = chunk(`{"input":"${"x".repeat(5000)}`);
    await expect(answerTo(endless, reading.id, { lineBytes: 1000 })).resolves.toEqual({
      status: 413,
      code: "ITEM_TOO_LARGE",
    });
    const item = chunk('{"input":1}\n') + chunk(`{"item":"${"x".repeat(5000)}`);
    await expect(answerTo(item, reading.id, { lineBytes: 1000 })).resolves.toEqual({
      status: 413,
      code: "ITEM_TOO_LARGE",
    });
  });

  it("heartbeats without measure are refused", async () => {
    const beats = chunk("\n".repeat(2000)).repeat(10);
    await expect(answerTo(chunk('{"input":1}\n') + beats, reading.id, { lineBytes: 10_000 })).resolves.toEqual({
      status: 400,
      code: "INVALID_JSON",
    });
  });

  it("silence while the task waits for an item is refused after silenceMs", async () => {
    await expect(answerTo(chunk('{"input":1}\n'), reading.id, { silenceMs: 30 })).resolves.toEqual({
      status: 400,
      code: "STREAM_LOST",
    });
    expect(noted[0]).toBe("failed STREAM_LOST");
  });

  it("1,000 calls that are cut as soon as they are open abort their tasks and give their places back", async () => {
    const limit = 100;
    await using exposure = await start({ open: limit });
    for (let round = 0; round < 10; round += 1) {
      noted.splice(0);
      const connections = Array.from({ length: limit }, () => exposure.connect());
      for (const { write } of connections) write(head(reading.id) + chunk('{"input":1}\n{"item":1}\n'));
      await until(() => noted.filter((each) => each === "item 1").length === limit);
      for (const { socket } of connections) {
        if (round % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
      await until(() => noted.filter((each) => each.startsWith("failed")).length === limit);
    }

    await using client = createHttpMixedClient({
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      auth: { token },
    });
    const calls = Array.from({ length: limit }, async () => client.task(gather, 1, { items: [1] }));
    await expect(soon(Promise.all(calls))).resolves.toHaveLength(limit);
  });

  it("one call more than limits.streams.open is refused, and leaves the places of plain calls as they are", async () => {
    await using exposure = await start({ open: 1 });
    await using client = createHttpMixedClient({
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      auth: { token },
    });
    const controller = new AbortController();
    const held = client.task(reading, undefined, { items: oneThenQuiet().items, signal: controller.signal });
    await until(() => noted.includes("item 1"));

    await expect(client.task(gather, 1, { items: [1] })).rejects.toMatchObject({
      code: "OVERLOADED",
      data: { limit: "streams" },
    });
    controller.abort();
    await held.catch(() => {});
  });

  it.each(["node", "fetch"])("a call that sends items takes no place of plain calls: the %s edge", async (edge) => {
    const http = { limits: { inFlight: 1, streams: { open: 2 } } };
    await using served =
      edge === "node"
        ? await startExposure([...itemTasks, plain], http)
        : await startFetchEdge([...itemTasks, plain], http);
    const fetchImpl = async (url: string, init: RequestInit) =>
      (served as TestFetchEdge).handlers.fetch(new Request(url, init));
    await using client =
      edge === "node"
        ? createHttpMixedClient({
            baseUrl: `http://127.0.0.1:${(served as TestExposure).port}/__runner`,
            auth: { token },
          })
        : createHttpClient({
            baseUrl: "http://edge.test/__runner",
            auth: { token },
            fetchImpl: fetchImpl as typeof fetch,
          });
    const controller = new AbortController();
    const send = () => client.task(reading, undefined, { items: oneThenQuiet().items, signal: controller.signal });
    const held = [];
    for (let count = 1; count <= 2; count += 1) {
      held.push(send());
      await until(() => noted.filter((each) => each === "item 1").length === count);
    }

    await expect(client.task(plain)).resolves.toBe("no items");
    await expect(client.task(gather, 1, { items: [1] })).rejects.toMatchObject({
      code: "OVERLOADED",
      data: { limit: "streams" },
    });
    controller.abort();
    await Promise.allSettled(held);
  });

  it("a server that closes ends the calls whose callers still send", async () => {
    const exposure = await start({}, { graceMs: 50 });
    const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } });
    const { items, state } = oneThenQuiet();
    const call = client.task(reading, undefined, { items }).catch((error: unknown) => error);
    await until(() => noted.includes("item 1"));

    await exposure[Symbol.asyncDispose]();

    expect(await soon(call)).toBeInstanceOf(Error);
    await until(() => state.isReturned);
    await client.close();
  });
});

describe("servers that answer items in ways of their own", () => {
  async function answeredBy(status: number, body: string) {
    const server = createServer((req, res) => {
      // As servers before 6.0: all of it is one document.
      req.on("data", () => {}).on("end", () => res.writeHead(status, { "content-type": "application/json" }).end(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${port}` });
    try {
      return await client.task(gather, 1, { items: [1] }).catch((error: unknown) => error);
    } finally {
      await client.close();
      server.close();
    }
  }

  it("older ones take the lines for broken JSON: ITEMS_NOT_TAKEN says so", async () => {
    const refused = '{"ok":false,"error":{"code":"INVALID_JSON","message":"Invalid JSON body"}}';
    await expect(answeredBy(400, refused)).resolves.toMatchObject({
      code: "ITEMS_NOT_TAKEN",
      message: expect.stringContaining("older") as string,
    });
  });

  it("an envelope where items were wanted is NOT_A_STREAM, and ends the items of the caller", async () => {
    const server = createServer((_req, res) => {
      res.writeHead(200, { "content-type": "application/json" }).end('{"ok":true,"result":1}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await using client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${port}` });
    const { items, state } = oneThenQuiet();

    const reading = client.stream(duplex, {}, { items })[Symbol.asyncIterator]();

    await expect(reading.next()).rejects.toMatchObject({ code: "NOT_A_STREAM" });
    await until(() => state.isReturned);
    server.close();
  });
});
