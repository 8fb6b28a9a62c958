import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { r, type NodeExposureHttpConfig } from "../../../node/index";
import { startExposure, token, type TestExposure } from "../../support/exposure";

const origins = { origin: ["https://a.test"] };

/** A task that streams with headers of its own. */
const streamWith = (headers: Record<string, string | string[]>) =>
  r
    .task("stream")
    .run(async (_input: unknown): Promise<unknown> => ({ stream: Readable.from(["x"]), headers }))
    .build();

/** An exposure behind something that has already set headers. */
async function startBehind(
  prepare: (res: ServerResponse) => void,
  definitions: Parameters<typeof startExposure>[0],
  http: NodeExposureHttpConfig,
): Promise<TestExposure & { readonly url: string }> {
  const exposure = await startExposure(definitions, { listen: undefined, ...http });
  const server = createServer((req, res) => {
    prepare(res);
    void exposure.handlers.handleRequest(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    ...exposure,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/__runner`,
    async [Symbol.asyncDispose]() {
      await exposure[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("Vary", () => {
  const headers = { "x-runner-token": token };

  it.each([
    ["a preflight reply", "OPTIONS", "Cookie, Origin"],
    ["a reply", "POST", "Cookie, Origin, Accept-Language"],
  ])(
    "the Vary header of a reply keeps in %s what was set before, and what a stream says",
    async (_which, method, expected) => {
      await using exposure = await startBehind(
        (res) => res.setHeader("Vary", "Cookie"),
        [streamWith({ vary: "Accept-Language, origin" })],
        { cors: origins },
      );

      const reply = await fetch(`${exposure.url}/task/stream`, { method, headers });

      expect(reply.headers.get("vary")).toBe(expected);
    },
  );

  it("the Vary header of a reply is the stream's own where replies differ by nothing else", async () => {
    await using exposure = await startExposure([streamWith({ Vary: ["Accept-Language", "Cookie"] })]);

    const reply = await exposure.post("/__runner/task/stream");

    expect(reply.headers.get("vary")).toBe("Accept-Language, Cookie");
  });

  it("the Vary header of a reply stays a star", async () => {
    await using exposure = await startExposure([streamWith({ vary: "*" })], { cors: origins });

    const reply = await exposure.post("/__runner/task/stream");

    expect(reply.headers.get("vary")).toBe("*");
  });
});

it.each([
  "x-runner-request-id",
  "access-control-expose-headers",
  "Access-Control-Max-Age",
  "set-cookie",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "te",
  "trailer",
  "upgrade",
])("an exposure ignores %s of a stream's own head", async (name) => {
  await using exposure = await startExposure([streamWith({ [name]: "of-the-task", "x-own": "kept" })]);

  const reply = await exposure.post("/__runner/task/stream");

  expect([...reply.headers.values()].filter((value) => value.includes("of-the-task"))).toEqual([]);
  expect([reply.headers.get("x-own"), await reply.text()]).toEqual(["kept", "x"]);
});
