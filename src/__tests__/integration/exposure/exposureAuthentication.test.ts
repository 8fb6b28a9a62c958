import { globals, nodeExposure, r, run, type ILog, type RegisterableItems } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { atOnce, rawPost, startExposure, token, type TestExposure } from "../../support/exposure";
import { soon } from "../../support/soon";
import { quiet, tunnelOf } from "../../support/tunnelPair";

const hello = r
  .task("hello")
  .run(async () => "hi")
  .build();
const noticed = r.event<void>("noticed").build();

/** A validator task that returns, or throws, whatever it is told. */
const validatorOf = (id: string, verdict: (headers: Record<string, unknown>, signal: AbortSignal) => unknown) =>
  r
    .task(id)
    .tags([globals.tags.authValidator])
    .run(async ({ headers }, _deps, { signal }): Promise<any> => verdict(headers, signal)) // any: also what no validator should return
    .build();

const fail = (): never => {
  throw new Error("the database is down");
};

const withoutToken = { "x-runner-token": "" };
const statusOf = async (exposure: TestExposure, headers: Record<string, string> = withoutToken): Promise<number> =>
  (await exposure.post("/__runner/task/hello", "{}", headers)).status;
const messagesOf = (logs: readonly ILog[], message: string): ILog[] =>
  logs.filter((log) => String(log.message).startsWith(message));

describe("the verdict of a validator task", () => {
  it.each<[string, unknown, string]>([
    ["a text as ok", { ok: "no" }, "an object whose ok is a string"],
    ["a truthy number as ok", { ok: 1 }, "an object whose ok is a number"],
    ["an object as ok", { ok: {} }, "an object whose ok is an object"],
    ["a promise of true as ok", { ok: Promise.resolve(true) }, "an object whose ok is an object"],
    ["true alone", true, "a boolean"],
    ["a text", "ok", "a string"],
    ["an empty object", {}, "an object without ok"],
    ["a list", [true], "an object without ok"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
  ])(
    "the verdict of a validator task is no when it is %s, and the log says who returned what kind of thing",
    async (_what, verdict, kind) => {
      await using exposure = await startExposure([hello], {}, [validatorOf("odd", () => verdict)]);

      expect(await statusOf(exposure)).toBe(401);

      const [log] = messagesOf(exposure.logs, "exposure.auth.verdict");
      expect([log?.level, log?.data]).toEqual(["warn", { id: "odd", verdict: kind }]);
    },
  );

  it.each([
    [{ ok: true }, 200],
    [{ ok: false, message: "go away" }, 401],
  ])("the verdict of a validator task %j needs no word in the log", async (verdict, status) => {
    await using exposure = await startExposure([hello], {}, [validatorOf("plain", () => verdict)]);

    expect(await statusOf(exposure)).toBe(status);
    expect(messagesOf(exposure.logs, "exposure.auth.verdict")).toEqual([]);
  });
});

describe("a validator task that throws", () => {
  const paths = ["/__runner/task/hello", "/__runner/task/unknown", "/__runner/event/noticed", "/__runner/discovery"];

  it.each(paths)("a validator task that throws makes %s answer that authentication is unavailable", async (path) => {
    await using exposure = await startExposure([hello, noticed], {}, [validatorOf("broken", fail)]);

    const reply = await exposure.post(path, "{}", withoutToken);

    expect([reply.status, reply.headers.get("retry-after"), await reply.json()]).toEqual([
      503,
      "1",
      { ok: false, error: { message: "Authentication unavailable", code: "AUTH_UNAVAILABLE" } },
    ]);
    const [log] = messagesOf(exposure.logs, "exposure.auth.unavailable");
    expect([log?.level, log?.error?.message, log?.data]).toEqual([
      "error",
      "the database is down",
      expect.objectContaining({ path, code: "AUTH_UNAVAILABLE", error: "the database is down" }),
    ]);
    expect(messagesOf(exposure.logs, "exposure.auth.failure")).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ["nothing", () => Promise.reject(undefined)],
    ["a text", () => Promise.reject("down")],
    ["an error with a status of its own", () => r.error("app.denied").httpCode(403).build().throw({})],
  ])("a validator task that throws does so too when it rejects with %s", async (_what, verdict) => {
    await using exposure = await startExposure([hello], {}, [validatorOf("broken", verdict)]);

    expect(await statusOf(exposure)).toBe(503);
  });

  it("a validator task that throws does not overrule one that approves, before or behind it, nor a token", async () => {
    const approves = ({ "x-tenant": tenant }: Record<string, unknown>) => ({ ok: tenant === "acme" });
    await using exposure = await startExposure([hello], {}, [
      validatorOf("a.first", fail),
      validatorOf("b.second", approves),
      validatorOf("c.third", fail),
    ]);

    expect(await statusOf(exposure, { ...withoutToken, "x-tenant": "acme" })).toBe(200);
    expect(await statusOf(exposure, { "x-runner-token": token })).toBe(200);
    expect(await statusOf(exposure)).toBe(503);
  });
});

describe("authentication that takes its time", () => {
  it("authentication that takes its time is refused as unavailable after authMs, and its signal aborts", async () => {
    const aborted = createDeferred();
    const stuck = validatorOf("stuck", (_headers, signal) => {
      signal.addEventListener("abort", () => aborted.resolve());
      return new Promise(() => {});
    });
    await using exposure = await startExposure([hello], { limits: { authMs: 20 } }, [stuck]);

    const reply = await soon(exposure.post("/__runner/task/hello", "{}", withoutToken));

    expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, "1"]);
    await soon(aborted.promise);
    const [log] = messagesOf(exposure.logs, "exposure.auth.unavailable");
    expect(log?.error?.message).toBe('Validator "stuck" took longer than 20 ms.');
  });

  it("authentication that takes its time gives all validators of a request that time together", async () => {
    const slow = (id: string) =>
      validatorOf(id, async () => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { ok: false };
      });
    await using exposure = await startExposure([hello], { limits: { authMs: 100 } }, [slow("a"), slow("b"), slow("c")]);

    expect(await statusOf(exposure)).toBe(503);
  });

  it("authentication that takes its time holds no place in the queue of a caller that has left", async () => {
    const asked = createDeferred();
    const left = createDeferred();
    const stuck = validatorOf("stuck", (_headers, signal) => {
      signal.addEventListener("abort", () => left.resolve());
      asked.resolve();
      return new Promise(() => {});
    });
    await using exposure = await startExposure([hello], { limits: { inFlight: 1 } }, [stuck]);
    const stranger = exposure.connect();
    stranger.write(rawPost("/__runner/task/hello", "{}").replace(token, "wrong"));
    await asked.promise;
    expect(await statusOf(exposure, { "x-runner-token": token })).toBe(503);

    stranger.socket.destroy();
    await soon(left.promise);

    expect(await statusOf(exposure, { "x-runner-token": token })).toBe(200);
    expect(messagesOf(exposure.logs, "exposure.auth")).toEqual([]);
  });
});

describe("a credential header that arrives more than once", () => {
  const request = (lines: readonly string[]): string =>
    [
      "POST /__runner/task/hello HTTP/1.1",
      "Host: localhost",
      ...lines,
      "Connection: close",
      "Content-Length: 2",
      "",
      "{}",
    ].join("\r\n");
  async function statusWith(exposure: TestExposure, ...lines: readonly string[]): Promise<string | undefined> {
    const connection = exposure.connect();
    connection.write(request(lines));
    return (await soon(connection.closed)).slice(9, 12);
  }

  it.each<[string, readonly string[]]>([
    ["right, then wrong", ["Authorization: right", "Authorization: wrong"]],
    ["wrong, then right", ["Authorization: wrong", "Authorization: right"]],
    ["right twice", ["Authorization: right", "authorization: right"]],
    ["right, then empty", ["Authorization: right", "AUTHORIZATION:"]],
  ])("a credential header that arrives more than once matches no token: %s", async (_order, lines) => {
    await using exposure = await startExposure([hello], { auth: { header: "Authorization", token: "right" } });

    expect(await statusWith(exposure, "authorization: right")).toBe("200");
    expect(await statusWith(exposure, ...lines)).toBe("401");
  });

  it("a credential header that arrives more than once matches no token that reads like the values joined", async () => {
    await using exposure = await startExposure([hello], { auth: { token: "a, b" } });

    expect(await statusWith(exposure, "x-runner-token: a, b")).toBe("200");
    expect(await statusWith(exposure, "x-runner-token: a", "X-Runner-Token: b")).toBe("401");
  });

  it("a credential header that arrives more than once reaches validator tasks with all of its values, none of them for the only one", async () => {
    const seen: unknown[] = [];
    const validator = validatorOf("validator", ({ authorization, "x-key": key }) => {
      seen.push([authorization, key]);
      return { ok: authorization === "right" };
    });
    await using exposure = await startExposure([hello], { auth: { header: "x-key" } }, [validator]);

    const once = await statusWith(exposure, "Authorization: right", "x-key: k");
    const twice = await statusWith(exposure, "Authorization: right", "Authorization: wrong", "x-key: k", "X-Key: l");

    expect([once, twice]).toEqual(["200", "401"]);
    expect(seen).toEqual([
      ["right", "k"],
      [
        ["right", "wrong"],
        ["k", "l"],
      ],
    ]);
  });
});

describe("without authentication, in production", () => {
  /** Boots with `NODE_ENV` set. */
  async function statusIn(
    env: string | undefined,
    options: { mode?: "prod" | "dev" },
    allowAnonymous?: boolean,
    items: readonly RegisterableItems[] = [],
  ) {
    const logs: string[] = [];
    const listener = r
      .resource("logs")
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config: void, { logger }) => logger.onLog(({ message }) => void logs.push(String(message))))
      .build();
    const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { allowAnonymous }, drain: atOnce } });
    const root = r
      .resource("app")
      .register([listener, hello, tunnelOf("tunnel", { mode: "server", tasks: ["hello"] }), exposure, ...items])
      .build();
    const before = process.env["NODE_ENV"];
    if (env === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = env;
    try {
      await using app = await run(root, { ...quiet, logs: { printThreshold: null }, ...options });
      const { status } = await fetch(`${app.getResourceValue(nodeExposure).url}/task/hello`, { method: "POST" });
      return { status, warning: logs.find((log) => log.includes("no authentication")) };
    } finally {
      process.env["NODE_ENV"] = before;
    }
  }

  it.each<[string | undefined, { mode?: "prod" | "dev" }]>([
    ["production", {}],
    ["production", { mode: "dev" }],
    [undefined, { mode: "prod" }],
    ["test", { mode: "prod" }],
  ])(
    "without authentication, in production by NODE_ENV=%s and %j, no program of this machine is served either",
    async (env, options) => {
      const { status, warning } = await statusIn(env, options);

      expect([status, warning]).toEqual([500, expect.stringContaining("serves no caller, since this is production")]);
    },
  );

  it.each<[string | undefined, { mode?: "prod" | "dev" }]>([
    ["development", {}],
    [undefined, { mode: "dev" }],
  ])("without authentication, in production is what NODE_ENV=%s and %j are not", async (env, options) => {
    const { status, warning } = await statusIn(env, options);

    expect([status, warning]).toEqual([200, expect.stringContaining("programs of this machine only")]);
  });

  it("without authentication, in production every caller is served where that is said, and none where that is", async () => {
    const [everybody, nobody] = [await statusIn("production", {}, true), await statusIn("development", {}, false)];

    expect([everybody.status, nobody.status]).toEqual([200, 500]);
  });
});

describe("what unknown callers send", () => {
  it("what unknown callers send takes little room in the log, however often they do", async () => {
    await using exposure = await startExposure([hello]);
    const longPath = `/__runner/task/${"x".repeat(15_000)}`;
    const connection = exposure.connect();
    const count = 1000;
    connection.write(
      rawPost(longPath, "{}")
        .replace(token, "wrong")
        .repeat(count - 1),
    );
    connection.write(rawPost(longPath, "{}", ["Connection: close"]).replace(token, "wrong"));
    await connection.closed;

    const refused = messagesOf(exposure.logs, "exposure.auth.failure");
    expect(refused).toHaveLength(10);
    expect(JSON.stringify(refused.map(({ data }) => data)).length).toBeLessThan(5_000);
    expect(String(refused[0]?.data?.["path"])).toHaveLength(200);
  });

  it("what unknown callers send is logged whether or not there is authentication", async () => {
    await using exposure = await startExposure([hello], { auth: { allowAnonymous: false } });

    expect(await statusOf(exposure)).toBe(500);

    const [log] = messagesOf(exposure.logs, "exposure.auth.failure");
    expect(log?.data).toMatchObject({ status: 500, code: "AUTH_NOT_CONFIGURED", path: "/__runner/task/hello" });
  });
});
