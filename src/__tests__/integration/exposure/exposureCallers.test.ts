import { createHash } from "node:crypto";
import { globals, nodeExposure, r, run, type NodeExposureHttpAuthConfig } from "../../../node/index";
import { startExposure, token, type TestExposure } from "../../support/exposure";

const whoCalls = r
  .task("whoCalls")
  .run(async (_input: void, _deps, info) => ({ name: info?.name, origin: info?.origin }))
  .build();
const asksOther = r
  .task("asksOther")
  .dependencies({ whoCalls })
  .run(async (_input: void, deps) => deps.whoCalls())
  .build();
const broken = r
  .task("broken")
  .run(async () => {
    throw new Error("it broke");
  })
  .build();
const secret = r
  .task("secret")
  .run(async () => "hidden")
  .build();
const noticed = r.event<void>("noticed").build();
const served = [whoCalls, asksOther, broken, noticed];

const validator = (verdict: (token: unknown) => unknown) =>
  r
    .task("validator")
    .tags([globals.tags.authValidator])
    .run(async ({ headers }): Promise<any> => verdict(headers["x-runner-token"])) // any: what validators without types return
    .build();

// any: what is read of a reply differs from test to test
const send = async (exposure: TestExposure, path: string, as: string): Promise<{ status: number; body: any }> => {
  const reply = await exposure.post(`/__runner/${path}`, "{}", { "x-runner-token": as });
  return { status: reply.status, body: await reply.json() };
};
const notExposed = (what: string) => ({
  status: 403,
  body: { ok: false, error: { message: `${what} not exposed`, code: "FORBIDDEN" } },
});

const auth: NodeExposureHttpAuthConfig = {
  token,
  tokens: [
    { token: "t-ada", name: "ada" },
    { token: "t-bob", name: "bob", tasks: [whoCalls] },
    { token: "t-eve", name: "eve", events: ["noticed"] },
    { token: "t-may", name: "may", tasks: (task) => task.id.startsWith("asks"), events: () => true },
    { token: "t-none", tasks: [] },
  ],
};

describe("the name of a caller", () => {
  it.each([
    ["t-ada", "ada"],
    [token, `token:${createHash("sha256").update(token).digest("hex").slice(0, 16)}`],
  ])("the name of a caller with the token %s is what tasks, and tasks that they call, are given", async (as, name) => {
    await using exposure = await startExposure(served, { auth });

    expect((await send(exposure, "task/whoCalls", as)).body.result).toEqual({ name, origin: "exposure:http" });
    expect((await send(exposure, "task/asksOther", as)).body.result).toEqual({ name, origin: "exposure:http" });
  });

  it("the name of a caller is absent where nothing came from outside", async () => {
    await using exposure = await startExposure(served, { auth });

    expect(await exposure.app.runTask(whoCalls)).toEqual({ name: undefined, origin: "local" });
  });

  it("the name of a caller is what its validator says, and anonymous where it says nothing", async () => {
    const byToken = validator((presented) => (presented === "v-zoe" ? { ok: true, name: "zoe" } : { ok: true }));
    await using exposure = await startExposure(served, { auth }, [byToken]);

    expect((await send(exposure, "task/whoCalls", "v-zoe")).body.result.name).toBe("zoe");
    expect((await send(exposure, "task/whoCalls", "v-any")).body.result.name).toBe("anonymous");
  });

  it("the name of a caller stands in the log of a task that failed for it", async () => {
    await using exposure = await startExposure(served, { auth });

    await send(exposure, "task/broken", "t-ada");

    expect(exposure.logs.find(({ message }) => message === "exposure.task.error")?.data).toMatchObject({
      id: "broken",
      caller: "ada",
    });
  });

  it("the name of a caller gives each its own rate limit", async () => {
    const limited = r
      .task("limited")
      .middleware([
        globals.middleware.task.rateLimit.with({
          windowMs: 60_000,
          max: 1,
          key: (_input, { name }) => name ?? "local",
        }),
      ])
      .run(async () => "served")
      .build();
    await using exposure = await startExposure([limited], { auth });

    const statuses = [];
    for (const as of ["t-ada", "t-ada", token]) statuses.push((await send(exposure, "task/limited", as)).status);

    expect(statuses).toEqual([200, 429, 200]);
  });
});

describe("what a caller may call", () => {
  it.each([
    ["bob", "task/whoCalls", 200],
    ["bob", "task/asksOther", 403],
    ["bob", "event/noticed", 403],
    ["eve", "event/noticed", 200],
    ["eve", "task/whoCalls", 403],
    ["may", "task/asksOther", 200],
    ["may", "task/whoCalls", 403],
    ["may", "event/noticed", 200],
    ["none", "task/whoCalls", 403],
    ["none", "event/noticed", 403],
    ["ada", "task/asksOther", 200],
    ["ada", "event/noticed", 200],
  ])("what a caller may call is narrowed by its token: %s, %s, %i", async (who, path, status) => {
    await using exposure = await startExposure(served, { auth }, [secret]);

    expect((await send(exposure, path, `t-${who}`)).status).toBe(status);
  });

  it("what a caller may not call answers as what is not listed and as what does not exist", async () => {
    await using exposure = await startExposure(served, { auth }, [secret]);

    expect(await send(exposure, "task/asksOther", "t-bob")).toEqual(notExposed("Task asksOther"));
    expect(await send(exposure, "task/secret", "t-bob")).toEqual(notExposed("Task secret"));
    expect(await send(exposure, "task/no.such", "t-bob")).toEqual(notExposed("Task no.such"));
    expect(await send(exposure, "event/noticed", "t-bob")).toEqual(notExposed("Event noticed"));
  });

  it("what a caller may call is no more than what is exposed", async () => {
    const wide = { tokens: [{ token: "t-wide", tasks: ["secret", "whoCalls"], events: () => true }] };
    await using exposure = await startExposure(served, { auth: wide }, [secret]);

    expect(await send(exposure, "task/secret", "t-wide")).toEqual(notExposed("Task secret"));
  });

  it("what a caller may call is all that discovery shows it", async () => {
    await using exposure = await startExposure(served, { auth });

    const listOf = async (as: string) => (await send(exposure, "discovery", as)).body.result.allowList;

    expect(await listOf("t-bob")).toEqual({ enabled: true, tasks: ["whoCalls"], events: [] });
    expect(await listOf("t-eve")).toEqual({ enabled: true, tasks: [], events: ["noticed"] });
    expect((await listOf("t-ada")).tasks).toEqual(["whoCalls", "asksOther", "broken"]);
  });

  it("what a caller may call is narrowed where everything is open as well, and tells nothing of the rest", async () => {
    const http = { auth, listen: { port: 0 }, dangerouslyAllowOpenExposure: true };
    const root = r
      .resource("open")
      .register([whoCalls, asksOther, nodeExposure.with({ http })])
      .build();
    const app = await run(root, { shutdownHooks: false, errorBoundary: false });
    try {
      const { url } = app.getResourceValue(nodeExposure);
      const statusOf = async (id: string) =>
        (await fetch(`${url}/task/${id}`, { method: "POST", headers: { "x-runner-token": "t-bob" } })).status;

      expect(await Promise.all(["whoCalls", "asksOther", "no.such"].map(statusOf))).toEqual([200, 403, 403]);
    } finally {
      await app.dispose();
    }
  });

  it("what a caller may call is narrowed by the verdict of a validator, call by call", async () => {
    const known = { ok: true, tasks: ["whoCalls", 7, null] };
    const byToken = validator((as) =>
      as === "v-known" ? known : { ok: true, name: String(as), tasks: as === "v-1" ? ["whoCalls"] : [asksOther] },
    );
    await using exposure = await startExposure(served, { auth }, [byToken]);
    const statuses = [];
    for (const as of ["v-1", "v-2", "v-1", "v-known", "v-known"]) {
      statuses.push([
        (await send(exposure, "task/whoCalls", as)).status,
        (await send(exposure, "task/asksOther", as)).status,
      ]);
    }

    expect(statuses).toEqual([
      [200, 403],
      [403, 200],
      [200, 403],
      [200, 403],
      [200, 403],
    ]);
  });

  it.each([
    ["tasks", { ok: true, tasks: "whoCalls" }, "an object whose tasks are no selector"],
    ["events", { ok: true, events: {} }, "an object whose events are no selector"],
    ["tasks that are null", { ok: true, tasks: null }, "an object whose tasks are no selector"],
  ])("what a caller may call is nothing when its validator says it by odd %s", async (_what, verdict, kind) => {
    await using exposure = await startExposure(served, { auth }, [validator(() => verdict)]);

    expect((await send(exposure, "task/whoCalls", "v-any")).status).toBe(401);
    expect(exposure.logs.find(({ message }) => String(message).startsWith("exposure.auth.verdict"))?.data).toEqual({
      id: "validator",
      verdict: kind,
    });
  });

  it("what a caller may call excludes what a predicate fails on, and the log says so", async () => {
    const picky = (task: { id: string }): boolean => {
      if (task.id === "broken") throw new Error("cannot say");
      return true;
    };
    await using exposure = await startExposure(served, { auth: { tokens: [{ token: "t-picky", tasks: picky }] } });

    expect((await send(exposure, "task/broken", "t-picky")).status).toBe(403);
    expect((await send(exposure, "task/whoCalls", "t-picky")).status).toBe(200);
    expect(exposure.logs.filter(({ message }) => /selector failed/.test(String(message)))).toHaveLength(1);
  });
});

describe("tokens that say more of their holders", () => {
  it("tokens that say more of their holders count for nothing while they are empty, and are still a wish for tokens", async () => {
    await using exposure = await startExposure(served, { auth: { tokens: [{ token: "", name: "unset" }] } });

    expect((await send(exposure, "task/whoCalls", "")).status).toBe(401);
  });

  it("tokens that say more of their holders are warned of where they list what is not served", async () => {
    const tokens = [
      { token: "t-1", name: "ada", tasks: [whoCalls, "whoCals", "whoCals"], events: [noticed] },
      { token: "t-2", tasks: [], events: ["gone"], subscribable: [noticed] },
      { token: "t-3", tasks: () => true },
    ];
    await using exposure = await startExposure(served, { auth: { tokens } });

    const warnings = exposure.logs.filter(({ level }) => level === "warn");
    const message = expect.stringMatching(/^http\.auth\.tokens lists ids that are not served/);
    expect(warnings).toMatchObject([
      { message, data: { caller: "ada", ids: ["whoCals"] } },
      { message, data: { caller: undefined, ids: ["gone", "noticed"] } },
    ]);
    expect(JSON.stringify(warnings)).not.toContain("t-1");
  });

  it.each<[string, unknown]>([
    ["http.auth.tokens must be a list", { tokens: { token: "x" } }],
    ["http.auth.tokens[0] must be an object", { tokens: ["x"] }],
    ["http.auth.tokens[0].token must be a string", { tokens: [{ token: undefined }] }],
    ["http.auth.tokens[0].name must be a non-empty string", { tokens: [{ token: "x", name: "" }] }],
    ["http.auth.token begins or ends with blanks", { token: "from-a-file\n" }],
    ["http.auth.token begins or ends with blanks", { token: ["x", " y"] }],
    ["http.auth.tokens[0].token begins or ends with blanks", { tokens: [{ token: "x\r\ny" }] }],
    ["http.auth.tokens[0].tasks lists undefined", { tokens: [{ token: "x", tasks: [undefined] }] }],
    ["http.auth.tokens[1].token is there twice", { tokens: [{ token: "x" }, { token: "x", name: "y" }] }],
    ["http.auth.tokens[0].token is there twice", { token: "x", tokens: [{ token: "x" }] }],
    ["http.auth.tokens[0].tasks must be a list of ids", { tokens: [{ token: "x", tasks: "whoCalls" }] }],
    ["http.auth.tokens[0].task is not known. Did you mean http.auth.tokens[0].tasks?", { tokens: [{ task: [] }] }],
  ])("tokens that say more of their holders are checked where they are written: %s", (message, config) => {
    expect(() => nodeExposure.with({ http: { auth: config as NodeExposureHttpAuthConfig } })).toThrow(message);
  });
});
