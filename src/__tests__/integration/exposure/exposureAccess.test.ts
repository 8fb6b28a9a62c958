import { Readable } from "node:stream";
import { request } from "node:http";
import { globals, nodeExposure, r, run, type NodeExposureHttpConfig } from "../../../node/index";
import { startExposure, token } from "../../support/exposure";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hi");
const validatorOf = (ok: (headers: Record<string, unknown>) => boolean) =>
  r
    .task("validator")
    .tags([globals.tags.authValidator])
    .run(async ({ headers }) => ({ ok: ok(headers) }))
    .build();

/** The status of a call with exactly these headers; `fetch` adds its own and forbids some. */
const statusOf = (port: number, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(
      { port, host: "127.0.0.1", method: "POST", path: "/__runner/task/hello", headers },
      (reply) => {
        reply.resume();
        resolve(reply.statusCode);
      },
    );
    sent.on("error", reject).end("{}");
  });

describe("without authentication", () => {
  const own: [string, Record<string, string>, number][] = [
    ["of a program of this machine", {}, 200],
    ["that names it by any of its names", { host: "app.localhost:1" }, 200],
    ["to IPv6 loopback", { host: "[::1]:80" }, 200],
    ["of a page that pointed its own name here", { host: "evil.test" }, 500],
    ["of a page on another origin", { origin: "http://localhost:3000" }, 500],
    ["that came through a proxy", { "x-forwarded-for": "1.2.3.4" }, 500],
    ["with any x-forwarded header", { "x-forwarded-anything": "1" }, 500],
    ["with Forwarded", { forwarded: "for=1.2.3.4" }, 500],
    ["with X-Real-IP", { "x-real-ip": "1.2.3.4" }, 500],
    ["with Via", { via: "1.1 proxy" }, 500],
  ];

  it.each(own)(
    "an exposure without authentication decides about a call %s by where it comes from",
    async (_what, headers, status) => {
      await using exposure = await startExposure([hello], { auth: {} });

      expect(await statusOf(exposure.port, headers)).toBe(status);
    },
  );

  it("an exposure without authentication admits a page whose origin the CORS config names, but not by a star", async () => {
    await using named = await startExposure([hello], { auth: {}, cors: { origin: ["http://a.test"] } });
    await using starred = await startExposure([hello], { auth: {}, cors: { origin: "*" } });

    expect(await statusOf(named.port, { origin: "http://a.test" })).toBe(200);
    expect(await statusOf(starred.port, { origin: "http://a.test" })).toBe(500);
  });

  it.each([
    [true, 200],
    [false, 500],
  ])(
    "allowAnonymous: %s decides for every caller of an exposure without authentication",
    async (allowAnonymous, status) => {
      await using exposure = await startExposure([hello], { auth: { allowAnonymous } });

      expect(await statusOf(exposure.port, allowAnonymous ? { via: "1.1 proxy" } : {})).toBe(status);
    },
  );

  it("an exposure without authentication warns at boot", async () => {
    await using exposure = await startExposure([hello], { auth: {} });

    const warnings = exposure.logs.filter(({ level }) => level === "warn").map(({ message }) => String(message));
    expect(warnings).toEqual([expect.stringContaining("has no authentication")]);
  });
});

describe("with tokens", () => {
  it.each<[string, NodeExposureHttpConfig["auth"], Record<string, string>, number]>([
    ["an empty string among them admits nobody without one", { token: ["", token] }, {}, 401],
    ["an empty string among them admits no empty header", { token: ["", token] }, { "x-runner-token": "" }, 401],
    ["an empty list admits nobody", { token: [] }, { "x-runner-token": "" }, 401],
    ["each of them will do", { token: ["a", token] }, { "x-runner-token": token }, 200],
    ["a prefix will not do", { token }, { "x-runner-token": token.slice(0, -1) }, 401],
    ["more than the token will not do", { token }, { "x-runner-token": `${token}x` }, 401],
    ["allowAnonymous has no effect", { token, allowAnonymous: true }, {}, 401],
  ])("an exposure with tokens decides by the header alone: %s", async (_claim, auth, headers, status) => {
    await using exposure = await startExposure([hello], { auth });

    expect(await statusOf(exposure.port, headers)).toBe(status);
  });

  it("an exposure with tokens logs who was refused, without what they presented", async () => {
    await using exposure = await startExposure([hello]);

    await statusOf(exposure.port, { "x-runner-token": "guess" });

    const [refused] = exposure.logs.filter(({ message }) => message === "exposure.auth.failure");
    expect(refused?.data).toMatchObject({
      method: "POST",
      path: "/__runner/task/hello",
      status: 401,
      code: "UNAUTHORIZED",
    });
    expect(JSON.stringify(refused)).not.toContain("guess");
  });

  it("an exposure with tokens logs no refusal where a task replies 401", async () => {
    const notYours = r.error("app.notYours").httpCode(401).build();
    const refuse = r
      .task("refuse")
      .run(async (): Promise<void> => notYours.throw({}))
      .build();
    const stream = r
      .task("stream")
      .run(async () => ({ stream: Readable.from(["no"]), status: 401 }))
      .build();
    await using exposure = await startExposure([refuse, stream], {}, [notYours]);

    const statuses = [
      (await exposure.post("/__runner/task/refuse")).status,
      (await exposure.post("/__runner/task/stream")).status,
    ];

    expect(statuses).toEqual([401, 401]);
    expect(exposure.logs.filter(({ message }) => message === "exposure.auth.failure")).toEqual([]);
  });

  it("an exposure with tokens asks validators only when no token matched", async () => {
    let asked = 0;
    const validator = validatorOf(({ "x-tenant": tenant }) => {
      asked += 1;
      return tenant === "acme";
    });
    await using exposure = await startExposure([hello], {}, [validator]);

    expect(await statusOf(exposure.port, { "x-runner-token": token })).toBe(200);
    expect(asked).toBe(0);
    expect(await statusOf(exposure.port, { "x-tenant": "acme" })).toBe(200);
    expect(await statusOf(exposure.port, { "x-tenant": "other" })).toBe(401);
  });
});

describe("what may be reached", () => {
  const serverTunnel = (value: object) =>
    r
      .resource("app.tunnel")
      .tags([globals.tags.tunnel])
      .init(async () => ({ mode: "server" as const, ...value }))
      .build();
  const boot = (tunnels: Parameters<typeof startExposure>[2], http: NodeExposureHttpConfig = {}) =>
    run(
      r
        .resource("app")
        .register([
          hello,
          ...(tunnels ?? []),
          nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, ...http } }),
        ])
        .build(),
      { shutdownHooks: false, errorBoundary: false },
    );
  const callHello = (app: Awaited<ReturnType<typeof boot>>) => {
    const address = app.getResourceValue(nodeExposure).server?.address() as { port: number };
    return statusOf(address.port, { "x-runner-token": token });
  };

  it("what may be reached is nothing without a server tunnel, and the log says how to change that", async () => {
    const warnings: string[] = [];
    const listener = r
      .resource("app.logs")
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config: void, { logger }) =>
        logger.onLog(({ level, message }) => level === "warn" && warnings.push(String(message))),
      )
      .build();
    await using app = await boot([listener]);

    expect(await callHello(app)).toBe(403);
    expect(warnings).toEqual([expect.stringContaining("globals.tags.tunnel")]);
  });

  it("what may be reached is decided at ready: later changes of the tunnel's value have no effect", async () => {
    const value: { tasks: string[] } = { tasks: [] };
    await using app = await boot([serverTunnel(value)]);

    value.tasks.push("hello");

    expect(await callHello(app)).toBe(403);
  });

  it("what may be reached is everything a predicate holds for; one that throws for an item skips it", async () => {
    const tasks = ({ id }: { id: string }): boolean => {
      if (id === "hello") return true;
      throw new Error("no idea");
    };
    // The predicate also runs at boot, where a throw would fail it; so it starts throwing afterwards.
    let strict = false;
    await using app = await boot([
      task("other", () => "never"),
      serverTunnel({ tasks: (item: { id: string }) => (strict ? tasks(item) : item.id === "hello") }),
      r
        .resource("app.strict")
        .init(async () => void (strict = true))
        .build(),
    ]);

    expect(await callHello(app)).toBe(200);
  });

  it("what may be reached is nothing through a tunnel of another transport", async () => {
    await using app = await boot([serverTunnel({ transport: "smoke-signals", tasks: ["hello"] })]);

    expect(await callHello(app)).toBe(403);
  });

  it("what may be reached is everything when that is asked for and no tunnel says otherwise", async () => {
    await using open = await boot([], { dangerouslyAllowOpenExposure: true });
    await using listed = await boot([serverTunnel({ tasks: [] })], { dangerouslyAllowOpenExposure: true });

    expect(await callHello(open)).toBe(200);
    expect(await callHello(listed)).toBe(403);
  });

  it("what may be reached before ready is what the tunnels initialised so far say, so that a root can call itself", async () => {
    const answers: (number | undefined)[] = [];
    const root = r
      .resource("app")
      .register([
        hello,
        serverTunnel({ tasks: ["hello"] }),
        nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } }),
      ])
      .dependencies({ exposure: nodeExposure, hello })
      .init(async (_config: void, { exposure }) => {
        const { port } = exposure.server?.address() as { port: number };
        answers.push(await statusOf(port, { "x-runner-token": token }));
      })
      .build();

    await using app = await run(root, { shutdownHooks: false, errorBoundary: false });

    expect(app.value).toBe(undefined);
    expect(answers).toEqual([200]);
  });

  it("what may be reached may be hidden from discovery", async () => {
    await using exposure = await startExposure([hello], { disableDiscovery: true });

    expect((await exposure.post("/__runner/discovery")).status).toBe(404);
  });
});

describe("contexts that callers send", () => {
  const who = r.asyncContext<string>("app.who").build();
  const ask = task("ask", () => {
    try {
      return who.use();
    } catch {
      return "nobody";
    }
  });
  const header = { "x-runner-context": JSON.stringify({ "app.who": JSON.stringify("ada") }) };

  it("contexts that callers send are provided to the task", async () => {
    await using exposure = await startExposure([ask], {}, [who]);

    expect(await (await exposure.post("/__runner/task/ask", "{}", header)).json()).toEqual({ ok: true, result: "ada" });
  });

  it("contexts that callers send are ignored for ids of a tunnel that refuses them, whatever another says", async () => {
    const refusing = r
      .resource("app.refusing")
      .tags([globals.tags.tunnel])
      .init(async () => ({ mode: "server" as const, tasks: ["ask"], allowAsyncContext: false }))
      .build();
    await using exposure = await startExposure([ask], {}, [who, refusing]);

    expect(await (await exposure.post("/__runner/task/ask", "{}", header)).json()).toEqual({
      ok: true,
      result: "nobody",
    });
  });

  it("contexts that callers send are ignored when their schema refuses them", async () => {
    const strict = r
      .asyncContext<string>("app.who")
      .configSchema({
        parse: () => {
          throw new Error("never");
        },
      })
      .build();
    await using exposure = await startExposure([ask], {}, [strict]);

    expect(await (await exposure.post("/__runner/task/ask", "{}", header)).json()).toEqual({
      ok: true,
      result: "nobody",
    });
  });
});

describe("what a failure tells", () => {
  const hasIssues = {
    parse: () => {
      throw Object.assign(new Error("bad"), { issues: [{ path: ["n"], message: "must be a number" }] });
    },
  };
  const strict = r
    .task("strict")
    .inputSchema(hasIssues)
    .run(async () => "never")
    .build();

  it("what a failure tells is which part of the input was refused, when it is the caller's own", async () => {
    await using exposure = await startExposure([strict]);

    const reply = await exposure.post("/__runner/task/strict");

    expect([reply.status, await reply.json()]).toEqual([
      400,
      {
        ok: false,
        error: {
          message: "Task input validation failed for strict: n: must be a number",
          code: "VALIDATION_ERROR",
          data: { subject: "Task input", id: "strict", issues: [{ path: ["n"], message: "must be a number" }] },
        },
      },
    ]);
  });

  it("what a failure tells is nothing when a task that it calls refused its input", async () => {
    const outer = r
      .task("outer")
      .dependencies({ strict })
      .run(async (_input: void, deps) => deps.strict(undefined as never))
      .build();
    await using exposure = await startExposure([outer, strict]);

    const reply = await exposure.post("/__runner/task/outer");

    expect([reply.status, await reply.text()]).toEqual([
      500,
      '{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}',
    ]);
  });

  it("what a failure tells is nothing when a result does not fit its schema", async () => {
    const wrong = r
      .task("wrong")
      .resultSchema<string>(hasIssues)
      .run(async () => "x")
      .build();
    await using exposure = await startExposure([wrong]);

    expect((await exposure.post("/__runner/task/wrong")).status).toBe(500);
  });

  it("what a failure tells is id and message of a typed error, without data that cannot be written", async () => {
    const odd = r
      .error<{ fn: () => void }>("app.odd")
      .format(() => "odd")
      .build();
    await using exposure = await startExposure([task("throws", () => odd.throw({ fn: () => {} }))], {}, [odd]);

    expect(await (await exposure.post("/__runner/task/throws")).json()).toEqual({
      ok: false,
      error: { message: "odd", code: "INTERNAL_ERROR", id: "app.odd" },
    });
  });

  it("what a failure tells is nothing when the error's helper is not registered, or only its name is the same", async () => {
    const stranger = r.error<{ secret: string }>("app.stranger").build();
    const registered = r.error<{ a: number }>("app.registered").build();
    const thrown = task("thrown", () => stranger.throw({ secret: "x" }));
    const namesake = task("namesake", () => {
      throw Object.assign(new Error("secret"), { name: "app.registered" });
    });
    await using exposure = await startExposure([thrown, namesake], {}, [registered]);

    for (const id of ["thrown", "namesake"]) {
      expect(await (await exposure.post(`/__runner/task/${id}`)).text()).toBe(
        '{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}',
      );
    }
    const hints = exposure.logs
      .filter(({ message }) => message === "exposure.task.error")
      .map(({ data }) => data?.["hint"]);
    expect(hints).toEqual([
      'Callers are not told of "app.stranger", since it is not registered: add its helper to .register([...]).',
      undefined,
    ]);
  });

  it("what a failure tells goes to the log with the request's id when callers are told nothing", async () => {
    const fails = task("fails", () => {
      throw new Error("the reason");
    });
    await using exposure = await startExposure([fails]);

    await exposure.post("/__runner/task/fails", "{}", { "x-runner-request-id": "r-1" });

    const [log] = exposure.logs.filter(({ message }) => message === "exposure.task.error");
    expect(log?.data).toMatchObject({ error: "the reason", requestId: "r-1", id: "fails" });
  });

  it("what a failure tells has a status that carries a body, whatever the helper says", async () => {
    const early = r.error<{ a: number }>("app.early").httpCode(103).build();
    await using exposure = await startExposure([task("early", () => early.throw({ a: 1 }))], {}, [early]);

    const reply = await exposure.post("/__runner/task/early");

    expect([reply.status, ((await reply.json()) as { error: { httpCode: number } }).error.httpCode]).toEqual([
      500, 103,
    ]);
  });
});

describe("a request with another method", () => {
  it.each([
    ["task/add", "PUT", "POST, OPTIONS"],
    ["event/changed", "GET", "POST, OPTIONS"],
    ["discovery", "DELETE", "GET, POST, OPTIONS"],
  ])("a request with another method to %s by %s is told which ones would do", async (path, method, allow) => {
    await using exposure = await startExposure([]);

    const reply = await fetch(`http://127.0.0.1:${exposure.port}/__runner/${path}`, { method });

    expect(reply.status).toBe(405);
    expect(reply.headers.get("allow")).toBe(allow);
  });
});
