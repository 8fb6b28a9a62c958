import { once } from "node:events";
import { createServer as createHttpServer, request, type IncomingMessage } from "node:http";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { tunnelExpose, tunnelPull } from "../../../node";
import { startRelay, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

/** Listens at `::1`, or nowhere. */
async function listen(server: Server) {
  await once(server.listen(0, "::1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await once(server.close(), "close");
    },
  };
}

const startRelayAtIpv6 = () =>
  startRelay({ listen: { port: 0, host: "::1" }, publicUrlPattern: "http://{name}.localhost" });

// Not to be skipped in silence: a machine without the address is told so by a relay that cannot listen.
if (hasIpv6) {
  it("a service at ::1 is visited by name over a relay at ::1, and told the visitor's address", async () => {
    await using relay = await startRelayAtIpv6();
    const seen: IncomingMessage["headers"][] = [];
    await using service = await listen(
      createHttpServer({ keepAliveTimeout: 1 }, ({ headers }, res) => {
        seen.push(headers);
        res.end("served over IPv6");
      }),
    );
    await using handle = await tunnelExpose({ ...relay.driver, url: `http://[::1]:${service.port}`, name: "web" });
    await using local = await tunnelExpose({
      ...{ ...relay.driver, url: `http://[::1]:${service.port}`, hostHeader: "local" as const },
    });
    const { port } = relay.relay;
    const headers = { host: "web.localhost" };
    const call = request({ host: "::1", port, path: "/", headers, agent: false }).end();
    const [message] = (await soon(once(call, "response"))) as [IncomingMessage];
    const own = request({ host: "::1", port, path: "/api/v1/tunnel/health", agent: false }).end();
    const [health] = (await soon(once(own, "response"))) as [IncomingMessage];
    health.resume();
    const { status } = await visit(local.containerPort);

    expect([message.statusCode, await text(message)]).toEqual([200, "served over IPv6"]);
    expect(relay.relay.url).toMatch(/^http:\/\/\[::1\]:\d+/);
    expect(handle.publicUrl).toBe("http://web.localhost");
    expect(seen).toMatchObject([
      { host: "web.localhost", "x-forwarded-for": "::1" },
      { host: `[::1]:${service.port}`, "x-forwarded-for": "127.0.0.1" },
    ]);
    expect(status).toBe(200);
    expect(health.statusCode).toBe(200);
  });

  it("a TCP service at ::1 is pulled through a relay at ::1", async () => {
    await using relay = await startRelayAtIpv6();
    await using service = await listen(createServer((socket) => void socket.end("pulled over IPv6")));
    await using handle = await tunnelPull({
      ...{ ...relay.driver, containerPort: 0 },
      ...{ localPort: service.port, localHost: "::1" },
    });
    const socket = connect({ host: "127.0.0.1", port: handle.containerPort });

    expect(await soon(text(socket))).toBe("pulled over IPv6");
  });
} else {
  it("a relay at ::1 does not start on a machine without that address, and names it", async () => {
    await expect(startRelayAtIpv6()).rejects.toThrow(/::1/);
  });
}
