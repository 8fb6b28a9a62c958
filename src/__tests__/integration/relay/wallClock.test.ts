import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { tunnelExpose } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { startFaultyProxy } from "../../support/relay/faultyProxy";
import { relayToken, startRelay, startService, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

/** All of it but `Date`. */
const everythingElse = [
  "hrtime",
  "nextTick",
  "performance",
  "queueMicrotask",
  "setImmediate",
  "clearImmediate",
  "setInterval",
  "clearInterval",
  "setTimeout",
  "clearTimeout",
] as const;

const hourMs = 3_600_000;

afterEach(() => jest.useRealTimers());

it.each([
  ["forward", hourMs],
  ["back", -hourMs],
])(
  "a wall clock that is moved %s by an hour ends no session, no visit and no wait for a driver",
  async (_way, byMs) => {
    await using relay = await startRelay({ pingMs: 20, idleMs: 60_000, responseTimeoutMs: 60_000 });
    const held = createDeferred<ServerResponse>();
    await using service = await startService((req, res) =>
      req.url === "/held" ? held.resolve(res) : res.end("served"),
    );
    await using proxy = await startFaultyProxy(relay.relay.port);
    await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
    const { sessionId } = handle.session;
    const states: string[] = [];
    handle.session.on("state", (state) => states.push(state));
    const visiting = visit(handle.containerPort, { path: "/held" });
    const response = await soon(held.promise);
    const wasMs = Date.now();

    jest.useFakeTimers({ doNotFake: [...everythingElse], now: wasMs + byMs });
    const moved = Date.now() - wasMs;
    const meanwhile = [];
    for (let time = 0; time < 30; time++) meanwhile.push(String((await visit(handle.containerPort)).body));
    response.end("held");
    const reply = await soon(visiting);
    const before = [...states];
    // A session that waits for its driver does so by the same clock.
    const lost = once(handle.session, "state");
    const resumed = once(handle.session, "resumed");
    proxy.cut();
    await soon(lost);
    jest.setSystemTime(wasMs - byMs);
    await soon(resumed);
    const after = await visit(handle.containerPort);

    expect(moved).toBe(byMs);
    expect(new Set(meanwhile)).toEqual(new Set(["served"]));
    expect([reply, after].map(({ body }) => String(body))).toEqual(["held", "served"]);
    expect(before).toEqual([]);
    expect([states, handle.session.sessionId]).toEqual([["reconnecting", "connected"], sessionId]);
  },
);
