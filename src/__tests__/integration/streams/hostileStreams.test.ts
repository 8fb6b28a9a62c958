import { createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { createHttpSmartClient, r } from "../../../node";
import { rawPost, startExposure, token, type TestExposure } from "../../support/exposure";
import { soon } from "../../support/soon";

const accept = "application/x-runner-items+ndjson";
const open = (id: string): string => rawPost(`/__runner/task/${id}`, "{}", [`accept: ${accept}`]);
const clientOf = ({ port }: TestExposure) =>
  createHttpSmartClient({ baseUrl: `http://127.0.0.1:${port}/__runner`, auth: { token } });
const turn = (): Promise<void> => new Promise(setImmediate);

let begun = 0;
let ended = 0;
/** Yields once, then waits for its caller to leave. */
const waiting = r
  .task("app.waiting")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    begun += 1;
    try {
      yield "here";
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    } finally {
      ended += 1;
    }
  })
  .build();

beforeEach(() => void (begun = ended = 0));

describe("callers that open streams of items without measure", () => {
  it("10,000 opens over the limit are refused, begin no body, and leave the places of others as they are", async () => {
    await using exposure = await startExposure([waiting], { limits: { streams: { open: 1 } } });
    await using client = clientOf(exposure);
    const held = client.stream(waiting)[Symbol.asyncIterator]();
    await held.next();

    let refused = 0;
    for (let connections = 0; connections < 10; connections += 1) {
      const connection = exposure.connect();
      connection.write(open("app.waiting").repeat(1000));
      connection.socket.end();
      refused += (await connection.closed).split("HTTP/1.1 503 ").length - 1;
    }

    expect({ refused, begun }).toEqual({ refused: 10_000, begun: 1 });
    await held.return();
    while (ended < 1) await turn();
    const next = client.stream(waiting)[Symbol.asyncIterator]();
    await expect(soon(next.next())).resolves.toEqual({ done: false, value: "here" });
    await next.return();
  });

  it("streams that are cut as soon as they are open end their bodies and give their places back", async () => {
    const limit = 20;
    await using exposure = await startExposure([waiting], { limits: { streams: { open: limit } } });
    await using client = clientOf(exposure);
    for (let round = 1; round <= 10; round += 1) {
      const connections = Array.from({ length: limit }, () => exposure.connect());
      for (const { socket, write } of connections) {
        write(open("app.waiting"));
        if (round % 2 === 0) socket.once("data", () => socket.resetAndDestroy());
        else socket.write("", () => socket.destroy());
      }
      await Promise.all(connections.map(({ closed }) => closed));
      while (exposure.handlers.server !== null && (await connectionsOf(exposure)) > 0) await turn();
      while (ended < begun) await turn();
    }

    const all = Array.from({ length: limit }, () => client.stream(waiting)[Symbol.asyncIterator]());
    await expect(soon(Promise.all(all.map((each) => each.next())))).resolves.toHaveLength(limit);
    await Promise.all(all.map((each) => each.return()));
  });

  it("a reader that takes nothing for drainMs is cut, and the body ends", async () => {
    const large = r
      .task("app.large")
      .stream(async function* () {
        begun += 1;
        try {
          for (;;) yield "x".repeat(64 * 1024);
        } finally {
          ended += 1;
        }
      })
      .build();
    await using exposure = await startExposure([large], { limits: { streams: { drainMs: 30 } } });
    const connection = exposure.connect();
    connection.socket.pause();
    connection.write(open("app.large"));

    while (ended < 1) await turn();
    connection.socket.resume();

    // Its reply is not completed: neither a line that ends it, nor the chunk that does.
    const received = await connection.closed;
    expect(received).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(received.endsWith("\r\n0\r\n\r\n")).toBe(false);
    expect({ begun, ended }).toEqual({ begun: 1, ended: 1 });
  });
});

const connectionsOf = ({ handlers }: TestExposure): Promise<number> =>
  new Promise((resolve, reject) => {
    handlers.server?.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });

describe("servers whose streams of items are made to do harm", () => {
  const head = (encoding = ""): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: ${accept}\r\n${encoding}connection: close\r\n\r\n`;

  async function readFrom(answer: (socket: Socket) => void) {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const baseUrl = `http://127.0.0.1:${port}`;
    const client = createHttpSmartClient({ baseUrl, compression: { responses: true } });
    const items: unknown[] = [];
    try {
      for await (const item of client.stream("app.any")) items.push(item);
      return { items, code: undefined };
    } catch (error) {
      return { items, code: (error as { code?: unknown }).code };
    } finally {
      await client.close({ signal: AbortSignal.abort() });
      server.close();
    }
  }
  const compressed = (text: string) => (socket: Socket) => {
    socket.write(head("content-encoding: gzip\r\n"));
    socket.end(gzipSync(text));
  };

  it("a compressed line that unpacks to far more than a line may take is refused", async () => {
    const outcome = await readFrom(compressed(`{"item":1}\n{"item":"${"a".repeat(64 * 1024 * 1024)}"}\n`));

    expect(outcome).toEqual({ items: [1], code: "ITEM_TOO_LARGE" });
  });

  it("heartbeats that unpack to millions keep nothing, and what follows them is read", async () => {
    const outcome = await readFrom(compressed(`${"\n".repeat(8 * 1024 * 1024)}{"item":1}\n{"ok":true}\n`));

    expect(outcome).toEqual({ items: [1], code: undefined });
  });

  it("a compressed reply that breaks off loses the stream", async () => {
    const whole = gzipSync('{"item":1}\n{"ok":true}\n');
    const outcome = await readFrom((socket) => {
      socket.write(head("content-encoding: gzip\r\n"));
      socket.end(whole.subarray(0, whole.length - 12));
    });

    expect(outcome.code).toBe("STREAM_LOST");
  });

  it.each(['{"__proto__":{"item":1}}', '{"constructor":{"prototype":{"item":1}}}'])(
    "a line whose keys are those of prototypes is neither an item nor changes any object: %s",
    async (line) => {
      const outcome = await readFrom((socket) => socket.end(`${head()}${line}\n{"ok":true}\n`));

      expect(outcome.items).toEqual([]);
      expect("item" in {}).toBe(false);
    },
  );
});
