import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { soon } from "../../__tests__/support/soon";
import { quiet } from "../../__tests__/support/tunnelPair";
import { r, run } from "../../node";
import { tunnelRelay } from "./tunnelRelay";

const token = "s3cret";

async function startRelay(auth?: { readonly token: string }) {
  const relay = tunnelRelay.with({ listen: { port: 0 }, portRange: [21_000, 29_999], auth });
  const app = await run(r.resource("relay").register([relay]).build(), quiet);
  const { url, port } = app.getResourceValue(tunnelRelay);
  return { url: url.replace(/\/$/, ""), port, [Symbol.asyncDispose]: () => app.dispose() };
}

/** What `/connect` answers a client that asks for a WebSocket, and its code where it refuses. */
async function connectAs(port: number, headers: Readonly<Record<string, string>>) {
  const asked = request({
    ...{ host: "127.0.0.1", port, agent: false, path: "/api/v1/tunnel/connect" },
    headers: {
      ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
      ...{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol": "hoody-tunnel.v2" },
      ...headers,
    },
  }).end();
  const [message] = (await soon(Promise.race([once(asked, "upgrade"), once(asked, "response")]))) as [IncomingMessage];
  if (message.statusCode === 101) {
    message.socket.destroy();
    return [101, undefined];
  }
  const { error } = JSON.parse(await text(message)) as { error: { code: string } };
  return [message.statusCode, error.code];
}

it("metrics of a relay are text of Prometheus' version 0.0.4", async () => {
  await using relay = await startRelay({ token });
  const reply = await fetch(`${relay.url}/api/v1/tunnel/metrics`, { headers: { "x-runner-token": token } });
  await reply.text();

  expect([reply.status, reply.headers.get("content-type")]).toEqual([
    200,
    expect.stringMatching(/^text\/plain; version=0\.0\.4(; charset=utf-8)?$/),
  ]);
});

it("a session that is killed is answered with 202, its driver is told, and closed with 4003", async () => {
  await using relay = await startRelay({ token });
  await using bare = await bareDriver(relay.url, { token });
  const { sessionId } = await bare.greet();
  const headers = { "x-runner-token": token };
  const url = `${relay.url}/api/v1/tunnel/sessions/${sessionId}?grace_ms=0`;

  const reply = await fetch(url, { method: "DELETE", headers });

  expect([reply.status, await reply.json()]).toEqual([202, { sessionId, status: "closing" }]);
  expect(await bare.next("GOAWAY")).toMatchObject({ code: "ADMIN_KILL", reconnect: false });
  expect(await bare.closed()).toMatchObject({ code: 4003 });
});

it.each<[string, Record<string, string>, unknown[]]>([
  ["that comes from this machine is served", {}, [101, undefined]],
  ["that a proxy passed on is refused", { "x-forwarded-for": "203.0.113.7" }, [500, "AUTH_NOT_CONFIGURED"]],
  ["that a proxy says it passed on is refused", { forwarded: "for=203.0.113.7" }, [500, "AUTH_NOT_CONFIGURED"]],
])("a driver of a relay without credentials %s", async (_title, headers, outcome) => {
  await using relay = await startRelay();

  expect(await connectAs(relay.port, headers)).toEqual(outcome);
});

it.each<[string, Record<string, string>, unknown[]]>([
  ["the token is served", { "x-runner-token": token }, [101, undefined]],
  ["no credentials is refused", {}, [401, "UNAUTHORIZED"]],
  ["another token is refused", { "x-runner-token": "guess" }, [401, "UNAUTHORIZED"]],
])("a driver of a relay with a token that has %s", async (_title, headers, outcome) => {
  await using relay = await startRelay({ token });

  expect(await connectAs(relay.port, headers)).toEqual(outcome);
});
