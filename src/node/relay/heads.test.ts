import { createServer, type RequestListener } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { soon } from "../../__tests__/support/soon";
import { resolveRelayConfig } from "./config";
import { httpTarget } from "./driver/httpTarget";
import { TunnelSession } from "./driver/tunnelSession";
import { Relay } from "./relay";

/** A service behind a driver, and a way to send it what no client of Node sends. */
async function published(listener: RequestListener) {
  const service = createServer({ maxHeaderSize: 65_536 }, listener);
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const relay = new Relay(resolveRelayConfig({ listen: { port: 0 }, portRange: [32_000, 39_999] }), {
    admit: async () => ({ principal: "anna" }),
  });
  await relay.start();
  const session = new TunnelSession({ relay: `http://127.0.0.1:${relay.port}` });
  const states: string[] = [];
  session.on("state", (state) => states.push(state));
  const { port } = service.address() as AddressInfo;
  const bound = await session.bind({
    kind: "http",
    mode: "expose",
    containerPort: 0,
    target: httpTarget({ host: "127.0.0.1", port, connectTimeoutMs: 2_000 }),
  });
  return {
    states,
    /** @returns the first line of the answer */
    send: (headers: string): Promise<string> =>
      soon(
        new Promise((resolve, reject) => {
          const socket = connect(bound.containerPort, "127.0.0.1");
          let text = "";
          socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
          socket.on("close", () => resolve(text.split("\r\n", 1)[0] as string));
          socket.on("error", reject);
          socket.write(
            Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`, "latin1"),
          );
        }),
      ),
    async [Symbol.asyncDispose]() {
      await session.close();
      await relay.close();
      service.closeAllConnections();
      await new Promise((resolve) => service.close(resolve));
    },
  };
}

describe("a visitor", () => {
  it.each([
    ["1,900 headers", "a: b\r\n".repeat(1_900), "HTTP/1.1 200 OK"],
    ["a header name of 400 characters", `${"n".repeat(400)}: v\r\n`, "HTTP/1.1 200 OK"],
    ["a header value in Latin-1", "x: caf\xe9\r\n", "HTTP/1.1 200 OK"],
    [
      "a head that is larger as JSON than a frame",
      `x: ${"\xff".repeat(32_690)}\r\n`,
      "HTTP/1.1 431 Request Header Fields Too Large",
    ],
  ])("a visitor with %s does not cost the driver its session", async (_name, headers, expected) => {
    await using app = await published((_req, res) => void res.end("ok"));

    const answer = await app.send(headers);

    expect([answer, await app.send("")]).toEqual([expected, "HTTP/1.1 200 OK"]);
    expect(app.states).toEqual(["connected"]);
  });

  it("a visitor among many with large heads is served, and no message between relay and driver is too large", async () => {
    await using app = await published((_req, res) => void res.end("ok"));
    const large = `x: ${"x".repeat(30_000)}\r\n`;

    const answers = await Promise.all(Array.from({ length: 100 }, () => app.send(large)));

    expect(new Set(answers)).toEqual(new Set(["HTTP/1.1 200 OK"]));
    expect(app.states).toEqual(["connected"]);
  });
});

it.each([
  ["a header name of 400 characters", { ["n".repeat(400)]: "v" }],
  ["1,050 headers", { "set-cookie": Array.from({ length: 1_050 }, () => "a") }],
])("a service that answers with %s does not cost its driver the session", async (_name, headers) => {
  await using app = await published((_req, res) => void res.writeHead(200, headers).end("ok"));

  expect([await app.send(""), app.states]).toEqual(["HTTP/1.1 200 OK", ["connected"]]);
});
