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
