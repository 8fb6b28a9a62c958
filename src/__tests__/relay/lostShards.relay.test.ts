import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { tunnelExpose, TunnelSession } from "../../node";
import { startFaultyProxy } from "../support/relay/faultyProxy";
import { relayToken, sha256, startRelay, startService, visit } from "../support/relay/relay";
import { soon } from "../support/soon";

/** A session of three connections that 24 visitors load at all times, each with a body of its own. */
async function loadedShards() {
  const relay = await startRelay();
  const handled = new Map<string, number>();
  const service = await startService((req, res) => {
    const { url = "" } = req;
    handled.set(url, (handled.get(url) ?? 0) + 1);
    buffer(req).then(
      (body) => res.end(body),
      () => res.destroy(),
    );
  });
  const proxy = await startFaultyProxy(relay.relay.port);
  const session = new TunnelSession({ relay: proxy.url, token: relayToken, connections: 3 });
  const handle = await tunnelExpose({ relay: proxy.url, session, port: service.port });
  const links = async (): Promise<number> => (await relay.admin.listSessions()).data.sessions[0]?.links ?? 0;
  while ((await links()) !== 3) await new Promise(setImmediate);

  const outcomes = new Map<string, string>();
  const body = randomBytes(100_000);
  const hash = sha256(body);
  let isOver = false;
  const load = async (visitor: number): Promise<void> => {
    for (let count = 0; !isOver; count++) {
      const path = `/${visitor}/${count}`;
      const outcome = await visit(handle.containerPort, { path, method: "POST", body }).then(
        (reply) => (reply.status === 200 && sha256(reply.body) === hash ? "whole" : String(reply.status)),
        (error: NodeJS.ErrnoException) => String(error.code),
      );
      outcomes.set(path, outcome);
    }
  };
  const loading = Promise.all(Array.from({ length: 24 }, (_, visitor) => load(visitor)));
  /** So many visitors more were served. */
  const served = async (count: number): Promise<void> => {
    const wholes = (): number => [...outcomes.values()].filter((outcome) => outcome === "whole").length;
    for (const goal = wholes() + count; wholes() < goal;) await new Promise(setImmediate);
  };
  return {
    proxy,
    session,
    links,
    served,
    /** Ends the load. @returns kinds of outcomes, and visits that were handled another number of times than they say */
    async end() {
      isOver = true;
      await loading;
      const kinds = new Set(outcomes.values());
      const repeated = [...handled].filter(([, times]) => times > 1);
      const unhandled = [...outcomes].filter(([path, outcome]) => outcome === "whole" && handled.get(path) !== 1);
      return { kinds, repeated, unhandled };
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await loading;
      await handle.close();
      await session.close();
      await proxy[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

it("a session under load that loses a secondary connection serves on, and has it again", async () => {
  await using site = await loadedShards();
  const { sessionId } = site.session;
  const states: string[] = [];
  site.session.on("state", (state) => states.push(state));

  for (const index of [1, 2]) {
    await site.served(50);
    site.proxy.cut(index);
    await site.served(50);
  }
  while ((await site.links()) !== 3) await new Promise(setImmediate);
  await site.served(50);
  const { kinds, repeated, unhandled } = await site.end();

  expect([states, site.session.sessionId]).toEqual([[], sessionId]);
  // Visitors of a lost connection are told, or cut where their reply had begun.
  expect(["whole", "502", "ECONNRESET"]).toEqual(expect.arrayContaining([...kinds]));
  expect([repeated, unhandled]).toEqual([[], []]);
});

it("a session under load that loses its primary connection tells or cuts each visitor, is resumed, and serves on", async () => {
  await using site = await loadedShards();
  const { sessionId } = site.session;
  await site.served(50);

  const resumed = once(site.session, "resumed");
  site.proxy.cut(0);
  const [facts] = await soon(resumed);
  while ((await site.links()) !== 3) await new Promise(setImmediate);
  await site.served(50);
  const { kinds, repeated, unhandled } = await site.end();

  expect(facts).toEqual({ resumed: true, sessionId });
  // Meanwhile the session is parked.
  expect(["whole", "502", "503", "ECONNRESET"]).toEqual(expect.arrayContaining([...kinds]));
  expect([repeated, unhandled]).toEqual([[], []]);
});
