import { createHttpMixedClient, r } from "../../node";
import { collect, numbers } from "../integration/streams/streamDefinitions";
import { startExposure, token } from "../support/exposure";
import { soon } from "../support/soon";
import { startPlainNginx } from "./support/nginx";

let isAborted = false;
/** Yields a small item, then waits for its caller to leave. */
const waiting = r
  .task("app.waiting")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    yield "here";
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    isAborted = true;
  })
  .build();

beforeEach(() => void (isAborted = false));

describe.each(["1.0", "1.1"] as const)(
  "streams of items through nginx, which speaks HTTP/%s to the server",
  (version) => {
    async function start() {
      const exposure = await startExposure([numbers, waiting]);
      const nginx = await startPlainNginx(exposure.port, version);
      const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${nginx.port}/__runner`, auth: { token } });
      return {
        exposure,
        nginx,
        client,
        async [Symbol.asyncDispose]() {
          await client.close({ signal: AbortSignal.abort() });
          await nginx[Symbol.asyncDispose]();
          await exposure[Symbol.asyncDispose]();
        },
      };
    }

    it(`items come whole through nginx over HTTP/${version}, with what the task returns`, async () => {
      await using setup = await start();

      const stream = setup.client.stream(numbers, { from: 1, to: 20_000 });

      expect(await collect(stream)).toHaveLength(20_000);
      expect(await stream.result).toEqual({ total: 200_010_000 });
    });

    it(`nginx over HTTP/${version} passes a small item on at once, and that the caller left`, async () => {
      await using setup = await start();
      const items = setup.client.stream(waiting)[Symbol.asyncIterator]();

      expect(await soon(items.next())).toEqual({ done: false, value: "here" });
      await items.return();

      while (!isAborted) await new Promise(setImmediate);
    });

    it(`killing nginx over HTTP/${version} loses the stream, and ends the task`, async () => {
      await using setup = await start();
      const items = setup.client.stream(waiting)[Symbol.asyncIterator]();
      await items.next();
      const next = items.next();

      setup.nginx.kill();

      await expect(soon(next)).rejects.toMatchObject({ code: "STREAM_LOST" });
      while (!isAborted) await new Promise(setImmediate);
    });

    it(`a server whose connection to nginx over HTTP/${version} breaks loses the stream`, async () => {
      await using setup = await start();
      const items = setup.client.stream(waiting)[Symbol.asyncIterator]();
      await items.next();
      const next = items.next();

      setup.exposure.handlers.server?.closeAllConnections();

      await expect(soon(next)).rejects.toMatchObject({ code: "STREAM_LOST" });
    });
  },
);
