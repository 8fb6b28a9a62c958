import { globals, r, type HealthCheckConfig } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { startExposure, token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { probe, stranger } from "../../support/health";

const paths = { health: "/healthz", ready: "/readyz" };
const check = (id: string, body: (signal: AbortSignal) => unknown, config: HealthCheckConfig = {}) =>
  r
    .task(id)
    .tags([globals.tags.healthCheck.with({ cacheMs: 0, ...config })])
    .run(async (_input: void, _deps, { signal }): Promise<unknown> => body(signal))
    .build();
function broken(): never {
  throw new Error("no database at 10.0.0.7");
}

const verdicts: [string, () => unknown, string, string | undefined][] = [
  ["returns false", () => false, "fail", undefined],
  ["throws", broken, "fail", "no database at 10.0.0.7"],
  ["says that it fails", () => ({ status: "fail", output: "disk full" }), "fail", "disk full"],
  ["says that it is strained", () => ({ status: "warn", output: "queue is long" }), "warn", "queue is long"],
  ["says that it passes", () => ({ status: "pass", output: "3 replicas" }), "pass", "3 replicas"],
  ["returns rows", () => [{ status: "unrelated" }], "pass", undefined],
  ["returns nothing", () => undefined, "pass", undefined],
];

describe("a health check", () => {
  it.each(verdicts)("a health check that %s", async (_name, body, status, output) => {
    await using exposure = await startExposure([check("app.check", body)], paths);

    const reply = await probe(exposure, "/readyz", {});

    const { ms, ...said } = reply.body.checks["app.check"] ?? { ms: NaN };
    expect([reply.status, reply.body.status]).toEqual([status === "fail" ? 503 : 200, status]);
    expect(said).toEqual(output === undefined ? { status } : { status, output });
    expect(ms).toBeGreaterThanOrEqual(0);
  });

  it("a health check affects readiness alone by default, and both where it affects health", async () => {
    const checks = [check("one", () => false), check("two", () => true, { affects: "health" })];
    await using exposure = await startExposure(checks, paths);

    const [health, ready] = [await probe(exposure, "/healthz"), await probe(exposure, "/readyz")];

    expect([health.status, Object.keys(health.body.checks)]).toEqual([200, ["two"]]);
    expect([ready.status, Object.keys(ready.body.checks)]).toEqual([503, ["one", "two"]]);
  });

  it.each([
    ["a stranger", stranger, undefined],
    ["a caller with a wrong token", { ...stranger, "x-runner-token": "guess" }, undefined],
    ["a local program", {}, "no database at 10.0.0.7"],
    ["a caller with the token", { ...stranger, "x-runner-token": token }, "no database at 10.0.0.7"],
  ])("a health check shows its output, or not, to %s", async (_name, headers, output) => {
    await using exposure = await startExposure([check("app.check", broken)], paths);

    const { body } = await probe(exposure, "/readyz", headers);

    expect(body.checks["app.check"]?.status).toBe("fail");
    expect(body.checks["app.check"]?.output).toBe(output);
  });

  it("a health check shows no output to strangers where everyone may call", async () => {
    const auth = { allowAnonymous: true };
    await using exposure = await startExposure([check("app.check", broken)], { ...paths, auth });

    expect((await probe(exposure, "/readyz")).body.checks["app.check"]?.output).toBeUndefined();
  });

  it("a health check shows its output to callers that a validator task knows", async () => {
    const validator = r
      .task("validator")
      .tags([globals.tags.authValidator])
      .run(async ({ headers }) => ({ ok: headers["x-key"] === "right" }))
      .build();
    await using exposure = await startExposure([check("app.check", broken)], { ...paths, auth: {} }, [validator]);
    const outputFor = async (key: string) =>
      (await probe(exposure, "/readyz", { ...stranger, "x-key": key })).body.checks["app.check"]?.output;

    expect([await outputFor("right"), await outputFor("wrong")]).toEqual(["no database at 10.0.0.7", undefined]);
    expect(exposure.logs.filter(({ message }) => String(message).includes("auth.failure"))).toEqual([]);
  });

  it("a health check runs once for all who ask within cacheMs", async () => {
    let runs = 0;
    const counting = check("counting", () => void (runs += 1), { cacheMs: 60_000 });
    await using exposure = await startExposure([counting], paths);

    for (const path of ["/readyz", "/healthz", "/readyz"]) await probe(exposure, path);

    expect(runs).toBe(1);
  });

  it("a health check runs once for all who ask at the same time, and again for those who ask later", async () => {
    let runs = 0;
    const gate = createDeferred();
    const counting = check("counting", () => {
      runs += 1;
      return gate.promise;
    });
    await using exposure = await startExposure([counting], paths);
    const bothArrived = createDeferred();
    let arrived = 0;
    exposure.handlers.server?.on("request", () => (arrived += 1) === 2 && bothArrived.resolve());

    const asked = [probe(exposure, "/readyz"), probe(exposure, "/readyz")];
    await bothArrived.promise;
    gate.resolve();
    await Promise.all(asked);
    const runsForBoth = runs;
    await probe(exposure, "/readyz");

    expect([runsForBoth, runs]).toEqual([1, 2]);
  });

  it("a health check that takes longer than timeoutMs fails with its signal aborted, and does not run again before it has ended", async () => {
    let runs = 0;
    const gate = createDeferred();
    const signals: AbortSignal[] = [];
    const stuck = check(
      "stuck",
      (signal) => {
        runs += 1;
        signals.push(signal);
        return gate.promise;
      },
      { timeoutMs: 5 },
    );
    await using exposure = await startExposure([stuck], paths);

    const replies = [await probe(exposure, "/readyz", {}), await probe(exposure, "/readyz", {})];
    const runsMeanwhile = runs;
    gate.resolve();
    const later = await probe(exposure, "/readyz", {});

    expect(replies.map(({ status, body }) => [status, body.checks["stuck"]?.output])).toEqual([
      [503, "Took longer than 5 ms."],
      [503, "Took longer than 5 ms."],
    ]);
    expect([runsMeanwhile, signals[0]?.aborted]).toEqual([1, true]);
    expect([later.status, runs]).toEqual([200, 2]);
  });

  it("a health check whose config makes no sense fails the boot, which names the task", async () => {
    const odd = check("odd", () => true, { timeoutMs: -1 });

    const error = await rejectionOf(startExposure([odd], paths));

    expect(error.message).toContain(
      'globals.tags.healthCheck of task "odd": timeoutMs must be a number of at least 0.',
    );
  });

  it("a health check may use what the application has, and recovers with it", async () => {
    const database = r
      .resource("app.database")
      .init(async () => ({ isUp: false }))
      .build();
    const ping = r
      .task("app.checks.database")
      .tags([globals.tags.healthCheck.with({ cacheMs: 0 })])
      .dependencies({ database })
      .run(async (_input: void, { database }) => database.isUp)
      .build();
    await using exposure = await startExposure([ping], paths, [database]);

    const before = await probe(exposure, "/readyz");
    exposure.app.getResourceValue(database).isUp = true;
    const after = await probe(exposure, "/readyz");

    expect([before.status, after.status]).toEqual([503, 200]);
  });
});
