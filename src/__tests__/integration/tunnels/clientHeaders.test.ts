import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  type HttpClientConfig,
  type HttpClient,
} from "../../../node";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Create = (config: HttpClientConfig) => Pick<HttpClient, "task" | "close">;
const withFile = () => ({ f: createNodeFile({ name: "f" }, { buffer: Buffer.from("x") }) });
const rows: [string, Create, () => unknown][] = [
  ["createHttpClient", createHttpClient, () => 1],
  ["createExposureFetch", createExposureFetch, () => 1],
  ["Smart", createHttpSmartClient, () => 1],
  ["Smart with a file", createHttpSmartClient, withFile],
  ["Mixed", createHttpMixedClient, () => 1],
  ["Mixed with a file", createHttpMixedClient, withFile],
];

/** Replies with the names and values of the request's headers, as they came. */
async function startMirror() {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const { rawHeaders } = request;
      const result = rawHeaders.flatMap((name, at) => (at % 2 ? [] : [[name.toLowerCase(), rawHeaders[at + 1]]]));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ok: true, result }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/r`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.each(rows)("the headers of a call by %s", (_name, create, input) => {
  const sentBy = async (config: Omit<HttpClientConfig, "baseUrl">, name: string): Promise<unknown[]> => {
    await using mirror = await startMirror();
    const client = create({ ...config, baseUrl: mirror.baseUrl });
    const headers = await client.task<unknown, [string, string][]>("t", input());
    await client.close();
    return headers.filter(([each]) => each === name).map(([, value]) => value);
  };

  it("the headers of a call hold a token once, the hook's, in whatever case both were written", async () => {
    const auth = { token: "configured", header: "X-Api-KEY" };

    expect(await sentBy({ auth }, "x-api-key")).toEqual(["configured"]);
    for (const spelling of ["x-api-key", "X-Api-Key", "X-API-KEY"]) {
      const onRequest = ({ headers }: { headers: Record<string, string> }) => void (headers[spelling] = "hook");
      expect(await sentBy({ auth, onRequest }, "x-api-key")).toEqual(["hook"]);
    }
  });

  it("the headers of a call lack what a hook deleted", async () => {
    const auth = { token: "configured" };
    const onRequest = ({ headers }: { headers: Record<string, string> }) => void delete headers["x-runner-token"];

    expect(await sentBy({ auth, onRequest }, "x-runner-token")).toEqual([]);
  });
});
