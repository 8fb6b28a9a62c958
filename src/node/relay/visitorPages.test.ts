import { request } from "node:http";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { startRelay, visit } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";

const accept = (value: string | undefined): Record<string, string> => (value === undefined ? {} : { accept: value });

/** What a visitor of a driver that is gone is answered, to a request and to an upgrade. */
async function askParked(headers: Record<string, string>, method?: string) {
  await using relay = await startRelay();
  const bare = await bareDriver(relay.url);
  await bare.greet();
  const { containerPort: port } = (await bare.bind()) as { containerPort: number };
  await bare[Symbol.asyncDispose]();
  while (relay.relay.parts.sessions.all.some(({ isAttached }) => isAttached)) await new Promise(setImmediate);
  const reply = await soon(visit(port, "/", headers, method));
  const upgrade = request({
    ...{ host: "127.0.0.1", port, agent: false },
    headers: { ...headers, connection: "Upgrade", upgrade: "raw" },
  }).end();
  const [refused] = (await soon(once(upgrade, "response"))) as [IncomingMessage];
  return [
    { headers: reply.message.headers, status: reply.message.statusCode, body: reply.text },
    { headers: refused.headers, status: refused.statusCode, body: await text(refused) },
  ];
}

it.each([
  "application/json",
  "application/problem+json",
  "application/json, text/plain, */*",
  "text/html;q=0.5, application/json",
  "Application/JSON ; q=1",
])("a visitor that accepts %s is told in JSON what is wrong", async (value) => {
  const replies = await askParked(accept(value));

  for (const { headers, status, body } of replies) {
    expect([status, headers["content-type"]]).toEqual([503, "application/json"]);
    expect([headers["x-hoody-tunnel-error"], headers["retry-after"]]).toEqual(["TUNNEL_ORPHANED", "5"]);
    expect(JSON.parse(body)).toEqual({ error: { code: "TUNNEL_ORPHANED", message: expect.any(String) as string } });
  }
});

it.each([
  undefined,
  "",
  "*/*",
  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "text/html, application/json;q=0.9",
  "text/html, application/json",
  "application/json;q=0",
  "application/json;q=0.1, */*",
  "application/json;q=much",
])("a visitor that accepts %s is told on a small page what is wrong", async (value) => {
  const replies = await askParked(accept(value));

  for (const { headers, status, body } of replies) {
    expect([status, headers["content-type"]]).toEqual([503, "text/html; charset=utf-8"]);
    expect([headers["x-hoody-tunnel-error"], headers["retry-after"]]).toEqual(["TUNNEL_ORPHANED", "5"]);
    expect(body).toMatch(/^<!doctype html>.*<h1>503<\/h1><p>The tunnel is reconnecting\.<\/p>$/);
  }
});

it.each<[string | undefined, string]>([
  [undefined, "application/json"],
  ["*/*", "application/json"],
  ["text/html,*/*;q=0.8", "text/html; charset=utf-8"],
  ["application/json;q=0", "text/html; charset=utf-8"],
])("a visitor that posts something and accepts %s is told by %s what is wrong", async (value, type) => {
  const [posted] = await askParked(accept(value), "POST");

  expect([posted?.status, posted?.headers["content-type"]]).toEqual([503, type]);
});
