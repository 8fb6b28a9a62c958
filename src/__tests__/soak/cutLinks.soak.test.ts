import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { tunnelExpose } from "../../node";
import { startFaultyProxy, type Faults } from "../support/relay/faultyProxy";
import { relayToken, sha256, startRelay, startService, visit, type Reply } from "../support/relay/relay";

const body = Buffer.alloc(200, "question ");
const answer = Buffer.alloc(300, "answer ");

const whole = `200 ${sha256(answer)}`;
/** What a visitor may be told of it: cut within the reply, answered instead of it, or too early for the driver. */
const interrupted: ReadonlySet<string> = new Set(["ECONNRESET", "TUNNEL_INTERRUPTED", "TUNNEL_ORPHANED"]);

interface Visit {
  readonly outcome: string;
  /** Times that the service handled it. */
  readonly handled: number;
}

/** Answered with all of it, and handled once. */
const isWhole = (each: Visit | undefined): boolean => each?.outcome === whole && each.handled === 1;

/** How a visit went, in one word. */
const outcomeOf = (visited: Promise<Reply>): Promise<string> =>
  visited.then(
    (reply) =>
      reply.status === 200
        ? `200 ${sha256(reply.body)}`
        : String(reply.headers["x-hoody-tunnel-error"] ?? reply.status),
    (error: NodeJS.ErrnoException) => String(error.code),
  );

it.each(["up", "down"] as const)(
  "a connection between driver and relay that is reset after any byte on its way %s interrupts a visit or does not, and is made again",
  async (direction) => {
    await using relay = await startRelay({
      graceMs: 10_000,
      limits: { maxSessions: 1_000, maxSessionsPerPrincipal: 1_000, maxPreAuthConnections: 1_000 },
    });
    const handled = new Map<string, number>();
    await using service = await startService((req, res) => {
      void buffer(req).then(() => {
        handled.set(req.url ?? "", (handled.get(req.url ?? "") ?? 0) + 1);
        res.end(answer);
      });
    });
    const attempt = async (resetAfterBytes: number) => {
      const fault: Faults = { [direction]: { resetAfterBytes } };
      await using proxy = await startFaultyProxy(relay.relay.port, {}, (index) => (index === 0 ? fault : undefined));
      await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
      const visits: Visit[] = [];
      // The reset may come right behind the first reply, and is the second visitor's then.
      while (visits.length < 2 || (visits.length < 3 && !isWhole(visits.at(-1)))) {
        if (handle.session.state !== "connected") await once(handle.session, "resumed");
        const path = `/${resetAfterBytes}/${visits.length}`;
        const outcome = await outcomeOf(visit(handle.containerPort, { path, method: "POST", body }));
        visits.push({ outcome, handled: handled.get(path) ?? 0 });
        delete fault[direction];
      }
      return { visits, isReset: proxy.accepted > 1 };
    };

    const wrong: unknown[] = [];
    const seen = new Set<string>();
    for (let from = 1, isReset = true; isReset; from += 50) {
      const moments = Array.from({ length: 50 }, (_, index) => from + index);
      const attempts = await Promise.all(moments.map(attempt));
      isReset = attempts.some((each) => each.isReset);
      for (const [index, { visits }] of attempts.entries()) {
        const isRight = (each: Visit) => isWhole(each) || (interrupted.has(each.outcome) && each.handled <= 1);
        if (!isWhole(visits.at(-1)) || !visits.every(isRight)) wrong.push({ resetAfterBytes: from + index, visits });
        for (const { outcome } of visits) seen.add(outcome);
      }
    }

    expect(wrong).toEqual([]);
    expect([...seen]).toEqual(expect.arrayContaining([whole, "TUNNEL_INTERRUPTED"]));
    while (relay.relay.sessions().length > 0) await new Promise(setImmediate);
    expect((await relay.admin.listBindings()).data.bindings).toEqual([]);
  },
  120_000,
);
