import { once } from "node:events";
import { connect } from "node:net";
import { bareDriver, type BareDriver } from "../../__tests__/support/bareDriver";
import { visit } from "../../__tests__/support/bareRelay";
import { rejectionOf } from "../../__tests__/support/failures";
import { freePort } from "../../__tests__/support/freePort";
import { soon } from "../../__tests__/support/soon";
import { stopTime } from "../../__tests__/support/stopTime";
import { quiet } from "../../__tests__/support/tunnelPair";
import { globals, r, run, type AuthValidatorResult } from "../../node";
import { encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";
import { tcpTarget } from "./driver/tcpTarget";
import { TunnelSession } from "./driver/tunnelSession";
import { tunnelRelay } from "./tunnelRelay";

/** A relay whose validator gives each token the verdict of a record, which a test may change. */
async function startJudgedRelay(verdicts: Record<string, AuthValidatorResult>) {
  const judge = r
    .task("relay.tasks.judge")
    .tags([globals.tags.authValidator])
    .run(async ({ headers }) => verdicts[String(headers["x-runner-token"])] ?? { ok: false })
    .build();
  const relay = tunnelRelay.with({ listen: { port: 0 }, portRange: [21_000, 29_999] });
  const app = await run(r.resource("relay").register([judge, relay]).build(), quiet);
  return { url: app.getResourceValue(tunnelRelay).url.replace(/\/$/, ""), [Symbol.asyncDispose]: () => app.dispose() };
}

async function connected(url: string, token: string): Promise<BareDriver> {
  const bare = await bareDriver(url, { token });
  await bare.greet();
  return bare;
}

const pull = { kind: "tcp", mode: "pull" };
const get = "GET / HTTP/1.1\r\nHost: localhost\r\n";
const inAnHour = (): number => Date.now() + 3_600_000;

describe("the policy of a driver", () => {
  it.each([
    ["a port it does not list", { ports: [22_222] }, { containerPort: 22_223 }],
    ["a name it does not list", { names: ["web"] }, { name: "shop" }],
    ["a kind it does not list", { kinds: ["tcp"] as const }, {}],
    ["a kind it does not list, for PULL", { kinds: ["http"] as const }, pull],
  ])("the policy of a driver refuses %s with POLICY, which is not to be tried again", async (_what, policy, fields) => {
    await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy } });
    await using bare = await connected(relay.url, "anna");

    expect(await bare.bind(fields)).toMatchObject({ t: "BIND_ERR", code: "POLICY", retryable: false });
  });

  it("the policy of a driver decides which port it is given where it asks for any", async () => {
    const free = [await freePort(), await freePort()];
    const policy = { ports: [80, ...free] };
    await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy } });
    await using bare = await connected(relay.url, "anna");
    const bound = [await bare.bind(), await bare.bind()];

    expect(bound.map((each) => (each as { containerPort: number }).containerPort).sort()).toEqual(free.sort());
    expect(await bare.bind()).toMatchObject({ code: "INTERNAL" });
  });

  it("the policy of a driver caps its bindings below the cap of the relay, and says so in the greeting", async () => {
    await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy: { maxBindings: 1 } } });
    await using bare = await bareDriver(relay.url);
    const hello = await bare.greet();
    const first = await bare.bind();

    expect(hello.limits.maxBindings).toBe(1);
    expect(first.t).toBe("BIND_OK");
    expect(await bare.bind()).toMatchObject({ code: "BIND_CAP_EXCEEDED" });
  });

  it.each([
    ["takes a binding of its own caller over by default", "anna", "anna", undefined, "BIND_OK", undefined],
    ["takes nothing over where it says so", "anna", "anna", false, "BIND_ERR", "POLICY"],
    ["takes nothing of another caller over by default", "anna", "berta", undefined, "BIND_ERR", "ALREADY_BOUND"],
    ["takes a binding of another caller over where it says any", "anna", "berta", "any", "BIND_OK", undefined],
  ] as const)("the policy of a driver %s", async (_what, owner, taker, takeover, t, code) => {
    await using relay = await startJudgedRelay({
      first: { ok: true, name: owner },
      second: { ok: true, name: taker, policy: { takeover } },
    });
    await using first = await connected(relay.url, "first");
    await using second = await connected(relay.url, "second");
    const bound = await first.bind({ name: "web" });
    const outcome = await second.bind({ name: "web", takeover: true });

    expect([outcome.t, (outcome as { code?: string }).code]).toEqual([t, code]);
    if (outcome.t === "BIND_ERR") expect(outcome.retryable).toBe(false);
    else expect(await first.next("BIND_REVOKED")).toMatchObject({ bindId: (bound as { bindId: number }).bindId });
  });

  it("the policy of a driver is asked for again when it resumes: what it no longer permits is revoked", async () => {
    const verdicts: Record<string, AuthValidatorResult> = { anna: { ok: true, name: "anna" } };
    await using relay = await startJudgedRelay(verdicts);
    const first = await bareDriver(relay.url);
    const { sessionId, resumeToken } = await first.greet();
    const [web, shop] = [await first.bind({ name: "web" }), await first.bind({ name: "shop" })] as {
      bindId: number;
      containerPort: number;
    }[];
    first.ws.terminate();
    await first.closed();
    verdicts.anna = { ok: true, name: "anna", policy: { names: ["web"] } };

    await using second = await bareDriver(relay.url);
    const hello = await second.greet({ resume: { sessionId, token: resumeToken } });

    expect(hello.resumed).toBe(true);
    expect(hello.bindings.map(({ bindId }) => bindId)).toEqual([web?.bindId]);
    expect(await second.next("BIND_REVOKED")).toMatchObject({ bindId: shop?.bindId, code: "ADMIN" });
    expect(await rejectionOf(visit(shop?.containerPort ?? 0))).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("credentials that expire", () => {
  it("credentials that expire end the session with BIND_REVOKED, GOAWAY and close code 4008", async () => {
    using time = stopTime();
    const expiresAt = Date.now() + 150;
    await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy: { expiresAt } } });
    await using bare = await connected(relay.url, "anna");
    const bound = (await bare.bind()) as { bindId: number; containerPort: number };
    time.advance(150);
    const closed = await bare.closed();

    expect(await bare.next("BIND_REVOKED")).toMatchObject({ bindId: bound.bindId, code: "AUTH_EXPIRED" });
    expect(await bare.next("GOAWAY")).toMatchObject({ code: "AUTH_EXPIRED", reconnect: true });
    expect(closed.code).toBe(4008);
    expect(await rejectionOf(visit(bound.containerPort))).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("credentials that expire let no visitor through before the timer has fired, as after a sleep of the machine", async () => {
    const expiresAt = inAnHour();
    await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy: { expiresAt } } });
    await using bare = await connected(relay.url, "anna");
    const bound = (await bare.bind()) as { containerPort: number };
    const now = jest.spyOn(Date, "now").mockReturnValue(expiresAt);
    const { message } = await visit(bound.containerPort).finally(() => now.mockRestore());

    expect(message.statusCode).toBe(404);
    expect((await bare.closed()).code).toBe(4008);
  });

  it.each([
    ["TCP connection", pull, "", ""],
    ["upgrade", {}, `${get}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`, "HTTP/1.1 404"],
    ["second request of a connection", {}, `${get}\r\n`, "HTTP/1.1 404"],
  ])("credentials that expire let no %s through to what was bound before", async (what, fields, request, answer) => {
    const expiresAt = inAnHour();
    await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy: { expiresAt } } });
    await using bare = await connected(relay.url, "anna");
    const { containerPort } = (await bare.bind(fields)) as { containerPort: number };
    const visitor = what.startsWith("second") ? connect(containerPort, "127.0.0.1") : undefined;
    if (visitor !== undefined) {
      visitor.write(request);
      const { streamId } = await bare.nextFrame(FrameType.HEAD);
      bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));
      await soon(once(visitor, "data"));
    }
    const now = jest.spyOn(Date, "now").mockReturnValue(expiresAt);
    const socket = visitor ?? connect(containerPort, "127.0.0.1");
    socket.write(request);
    const received = await new Promise((resolve) => {
      socket.once("data", (bytes: Buffer) => resolve(String(bytes).slice(0, 12)));
      socket.once("close", () => resolve(""));
    }).finally(() => now.mockRestore());
    socket.destroy();

    expect(received).toBe(answer);
    expect((await bare.closed()).code).toBe(4008);
    expect(bare.frames.filter(({ type }) => type === FrameType.OPEN || type === FrameType.HEAD)).toEqual([]);
  });

  it("credentials that expire are asked for anew, and what was bound is bound again", async () => {
    using time = stopTime();
    const verdict = { ok: true, name: "anna", policy: { expiresAt: Date.now() + 150 } };
    const verdicts = { anna: verdict };
    await using relay = await startJudgedRelay(verdicts);
    await using session = new TunnelSession({ relay: relay.url, token: "anna" });
    const target = tcpTarget({ host: "127.0.0.1", port: 1, connectTimeoutMs: 1_000 });
    const bound = await soon(session.bind({ kind: "tcp", mode: "pull", containerPort: 0, target }));
    const { containerPort } = bound;
    verdict.policy.expiresAt = inAnHour();
    time.advance(150);

    const [facts] = (await soon(once(session, "bound"))) as [{ containerPort: number }];

    expect(facts.containerPort).toBe(containerPort);
  });
});

describe("a driver whose verdict permits nothing", () => {
  it.each<[string, AuthValidatorResult, string]>([
    ["has expired", { ok: true, name: "anna", policy: { expiresAt: 1 } }, "AUTH_EXPIRED"],
    ["permits no kind", { ok: true, name: "anna", policy: { kinds: [] } }, "POLICY"],
    ["permits no binding", { ok: true, name: "anna", policy: { maxBindings: 0 } }, "POLICY"],
    ["has a field that cannot be meant", { ok: true, policy: { ports: ["3000"] as never } }, "POLICY"],
    ["has a field that is not known", { ok: true, policy: { port: [3000] } as never }, "POLICY"],
  ])("a driver whose verdict %s is answered 403 when it connects", async (_what, verdict, code) => {
    await using relay = await startJudgedRelay({ anna: verdict });
    const session = new TunnelSession({ relay: relay.url, token: "anna" });
    const error = await rejectionOf(soon(session.ready()));

    expect(error).toMatchObject({ name: "TunnelRefusedError", status: 403 });
    expect(error.message).toContain(code);
  });

  it("a driver whose verdict permits nothing may be an operator", async () => {
    await using relay = await startJudgedRelay({ op: { ok: true, name: "op", policy: { kinds: [] } } });
    const { status } = await fetch(`${relay.url}/api/v1/tunnel/sessions`, { headers: { "x-runner-token": "op" } });

    expect(status).toBe(200);
  });

  it("a driver whose verdict names it by something that is no text is answered 401", async () => {
    await using relay = await startJudgedRelay({ anna: { ok: true, name: 7 as never } });
    const session = new TunnelSession({ relay: relay.url, token: "anna" });

    expect(await rejectionOf(soon(session.ready()))).toMatchObject({ status: 401 });
  });
});

it("the name of a verdict tells callers of one validator apart when a session is resumed", async () => {
  await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna" }, berta: { ok: true, name: "berta" } });
  const first = await connected(relay.url, "anna");
  await first.bind();
  const { sessions } = (await (
    await fetch(`${relay.url}/api/v1/tunnel/sessions`, { headers: { "x-runner-token": "anna" } })
  ).json()) as { sessions: { sessionId: string }[] };
  first.ws.terminate();
  await first.closed();
  const sessionId = sessions[0]?.sessionId ?? "";

  await using stranger = await bareDriver(relay.url, { token: "berta" });
  await using owner = await bareDriver(relay.url, { token: "anna" });

  expect(await stranger.greet({ resume: { sessionId } })).toMatchObject({ resumed: false });
  expect(await owner.greet({ resume: { sessionId } })).toMatchObject({ resumed: true, sessionId });
});

it("the policy of a driver that permits a visitor's binding lets it through", async () => {
  const port = await freePort();
  const policy = { ports: [port], names: ["web"], kinds: ["http"] as const, expiresAt: inAnHour() };
  await using relay = await startJudgedRelay({ anna: { ok: true, name: "anna", policy } });
  await using bare = await connected(relay.url, "anna");
  await bare.bind({ name: "web" });
  const visited = visit(port);
  const { streamId } = await bare.nextFrame(FrameType.HEAD);
  bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));

  expect((await soon(visited)).message.statusCode).toBe(204);
});
