import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  globals,
  type HttpClient,
} from "../../../node";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer } from "../../support/httpPeer";

interface Config {
  readonly baseUrl: string;
  readonly timeoutMs?: number;
  readonly onRequest?: (request: { url: string }) => void;
}
type Create = (config: Config) => Pick<HttpClient, "task" | "event" | "close">;

const clients: [string, Create][] = [
  ["createHttpClient", createHttpClient],
  ["createExposureFetch", createExposureFetch],
  [
    "globals.tunnels.http.createClient",
    ({ baseUrl, ...config }) => globals.tunnels.http.createClient({ ...config, url: baseUrl }),
  ],
  ["createHttpSmartClient", createHttpSmartClient],
  ["createHttpMixedClient", createHttpMixedClient],
];

describe.each(clients)("%s", (name, create) => {
  it.each(["", "/", "///", "?tenant=1", "/?tenant=1", "#there", "/?a=b/#c/"])(
    "a client of any kind finds an exposure whose base URL is followed by %p",
    async (rest) => {
      await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 3 }));
      const seen: string[] = [];
      const client = create({ baseUrl: peer.baseUrl + rest, onRequest: ({ url }) => void seen.push(url) });

      expect(await client.task("a b", 1)).toBe(3);
      await client.event("e");
      await client.close();

      expect(peer.received.map(({ path }) => path)).toEqual(["/__runner/task/a%20b", "/__runner/event/e"]);
      expect(seen[0]).toBe(`${peer.baseUrl}/task/a%20b`);
    },
  );

  it.each(["http://user:secret@127.0.0.1:1/r", "ftp://user:secret@x/r", "ws://x", "/relative"])(
    "a client of any kind rejects calls to %s with the reason, and without its password",
    async (baseUrl) => {
      let hooks = 0;
      const client = create({ baseUrl, timeoutMs: 60_000, onRequest: () => void (hooks += 1) });
      const inputs = name.startsWith("createHttpS") || name.startsWith("createHttpM") ? [1, fileOf("x")] : [1];

      for (const input of inputs) {
        const error = await rejectionOf(client.task("t", input));

        expect(error.message).toContain("baseUrl");
        expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toContain("secret");
      }
      expect(hooks).toBe(0);
      await client.close();
    },
  );
});

const fileOf = (content: string) => ({ f: createNodeFile({ name: "f" }, { buffer: Buffer.from(content) }) });
