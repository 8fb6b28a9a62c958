import { createServer } from "node:http";
import { ask, publish } from "../../support/publishedService";

/** Answers with target and headers of what it received. */
const mirror = () =>
  createServer(({ method, url, headers }, res) => void res.end(JSON.stringify({ method, url, headers })));

const received = (body: string) => JSON.parse(body) as { url: string; headers: Record<string, string> };

it("headers that only look like those of a proxy, with underscores, end at the relay", async () => {
  await using site = await publish(mirror());
  const headers = {
    x_forwarded_for: "6.6.6.6",
    "X-Forwarded_Proto": "https",
    X_Real_IP: "6.6.6.6",
    x_request_id: "mine",
    X_Hoody_A: "1",
    x_own: "kept",
  };

  const { body } = await ask(site.port, { headers });

  const underscored = Object.entries(received(body).headers).filter(([name]) => name.includes("_"));
  expect(underscored).toEqual([["x_own", "kept"]]);
});

it("headers that only a proxy or the relay may set are dropped, and those of the relay are set", async () => {
  await using site = await publish(mirror());
  const headers = {
    Forwarded: "for=6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "X-Hoody-Tunnel": "1",
    "x-hoody-user": "root",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.test",
    TE: "trailers",
    "Proxy-Connection": "keep-alive",
    Connection: "close, x-hop",
    "X-Hop": "1",
    "X-Own": "kept",
    Host: `localhost:${site.port}`,
  };

  const { body } = await ask(site.port, { headers });

  const { connection: _own, ...rest } = received(body).headers;
  expect(rest).toEqual({
    host: `localhost:${site.port}`,
    "x-own": "kept",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": `localhost:${site.port}`,
    "x-forwarded-port": String(site.port),
    "x-forwarded-proto": "http",
    "x-request-id": expect.stringMatching(/^req_/) as string,
  });
});

it("OPTIONS * reaches the application as it was asked, on a port and by host", async () => {
  await using site = await publish(mirror(), {
    name: "web",
    config: { publicUrlPattern: ["http://{name}.tun.example.com", "http://localhost/t/{name}/"] },
  });
  const options = { method: "OPTIONS", path: "*" };

  expect(received((await ask(site.port, options)).body).url).toBe("*");
  const byHost = await ask(site.relay.port, { ...options, headers: { host: "web.tun.example.com" } });
  expect(received(byHost.body).url).toBe("*");
  // Without a path, nothing says which tunnel it is about.
  expect((await ask(site.relay.port, { ...options, headers: { host: "localhost" } })).status).toBe(404);
});
