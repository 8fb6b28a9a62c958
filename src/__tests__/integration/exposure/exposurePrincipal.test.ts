import {
  globals,
  nodeExposure,
  r,
  useExposureContext,
  type NodeExposureHttpAuthConfig,
  type RegisterableItems,
} from "../../../node/index";
import { formHeaders, formOf, manifestPart, startExposure, token, type TestExposure } from "../../support/exposure";

interface User {
  readonly id: string;
}

/** Refuses what has no id, and shows that it ran. */
const userSchema = {
  parse(value: unknown): User {
    const { id } = (value ?? {}) as Partial<User>;
    if (typeof id !== "string") throw new Error("a user has an id");
    return { id: `${id}!` };
  },
};
const currentUser = r.asyncContext<User>("app.contexts.currentUser").configSchema<User>(userSchema).build();
const locale = r.asyncContext<string>("app.contexts.locale").build();

const seen = (): unknown => (currentUser.isActive() ? currentUser.use() : "nobody");
const whoAmI = r
  .task("whoAmI")
  .run(async () => ({ user: seen(), locale: locale.isActive() ? locale.use() : "none" }))
  .build();
const asksOther = r
  .task("asksOther")
  .dependencies({ whoAmI })
  .run(async (_input: void, deps) => deps.whoAmI())
  .build();
const noticed = r.event<{ user?: unknown }>("noticed").build();
const notes = r
  .hook("notes")
  .on(noticed)
  .run(async ({ data }) => void (data.user = seen()))
  .build();
const definitions = [whoAmI, asksOther, noticed];
const extra = [currentUser, locale, notes];

const auth: NodeExposureHttpAuthConfig = {
  token,
  principal: currentUser,
  tokens: [{ token: "t-ada", principal: { id: "ada" } }],
};
const start = (more: NodeExposureHttpAuthConfig = {}, items: readonly RegisterableItems[] = []) =>
  startExposure(definitions, { auth: { ...auth, ...more } }, [...extra, ...items]);

/** Posts as the holder of a token, and claims to be someone else. */
async function send(exposure: TestExposure, path: string, as: string, claims?: Record<string, unknown>) {
  const sent = claims && Object.fromEntries(Object.entries(claims).map(([id, value]) => [id, JSON.stringify(value)]));
  const reply = await exposure.post(`/__runner/${path}`, '{"payload":{},"returnPayload":true}', {
    "x-runner-token": as,
    ...(sent && { "x-runner-context": JSON.stringify(sent) }),
  });
  const { result, error } = (await reply.json()) as { result?: any; error?: any }; // any: as the task returns it
  return { status: reply.status, result, error };
}

const validator = (verdict: unknown) =>
  r
    .task("validator")
    .tags([globals.tags.authValidator])
    .run(async (): Promise<any> => verdict) // any: what validators without types return
    .build();

describe("the principal of a caller", () => {
  it.each(["whoAmI", "asksOther"])(
    "the principal of a caller is what its token has, as the schema of the context made it: %s",
    async (task) => {
      await using exposure = await start();

      expect((await send(exposure, `task/${task}`, "t-ada")).result.user).toEqual({ id: "ada!" });
      expect((await send(exposure, `task/${task}`, "t-ada")).result.user).toEqual({ id: "ada!" });
    },
  );

  it("the principal of a caller is what its validator returned", async () => {
    await using exposure = await start({}, [validator({ ok: true, principal: { id: "zoe" } })]);

    expect((await send(exposure, "task/whoAmI", "any")).result.user).toEqual({ id: "zoe!" });
  });

  it("the principal of a caller is there for the hooks of its events", async () => {
    await using exposure = await start();

    expect((await send(exposure, "event/noticed", "t-ada")).result).toEqual({ user: { id: "ada!" } });
  });

  it("the principal of a caller stands beside the contexts that it sent", async () => {
    await using exposure = await start();

    const { result } = await send(exposure, "task/whoAmI", "t-ada", { [locale.id]: "fr" });

    expect(result).toEqual({ user: { id: "ada!" }, locale: "fr" });
  });

  it("the principal of a caller is provided where the tunnel takes no contexts", async () => {
    const closed = r
      .resource("closed")
      .tags([globals.tags.tunnel])
      .init(async () => ({ mode: "server" as const, tasks: [whoAmI], allowAsyncContext: false }))
      .build();
    await using exposure = await start({}, [closed]);

    const { result } = await send(exposure, "task/whoAmI", "t-ada", { [locale.id]: "fr" });

    expect(result).toEqual({ user: { id: "ada!" }, locale: "none" });
  });

  it("the principal of a caller that the schema refuses is a failure of authentication, and is logged", async () => {
    await using exposure = await start({}, [validator({ ok: true, principal: { name: "no id" } })]);

    const { status, error } = await send(exposure, "task/whoAmI", "any");

    expect([status, error.code]).toEqual([503, "AUTH_UNAVAILABLE"]);
    const [log] = exposure.logs.filter(({ message }) => message === "exposure.auth.unavailable");
    expect(log?.error?.message).toMatch(/a user has an id/);
  });

  it("the principal of a token that the schema refuses is reported where it is written", () => {
    const tokens = [{ token: "t", principal: { name: "no id" } }];

    expect(() => nodeExposure.with({ http: { auth: { principal: currentUser, tokens } } })).toThrow(
      'http.auth.tokens[0].principal does not fit context "app.contexts.currentUser"',
    );
  });

  it.each([
    ["http.auth.principal must be an async context, built", { principal: r.asyncContext("unbuilt") }],
    ["http.auth.required must be a boolean", { required: "yes" }],
  ])("the principal of a caller is configured in a way that can be meant: %s", (message, config) => {
    expect(() => nodeExposure.with({ http: { auth: config as never } })).toThrow(message);
  });
});

describe("the principal of a caller of one process", () => {
  /** What the second process is sent, and finds, when a task of the first one calls it. */
  async function forwarded(as: string) {
    const look = r
      .task("look")
      .run(async () => ({ sent: useExposureContext().req.headers["x-runner-context"], user: seen() }))
      .build();
    await using second = await startExposure([look], {}, [currentUser, locale]);
    const phantom = r.task.phantom.of<typeof look>("look");
    const forward = r
      .task("forward")
      .dependencies({ phantom })
      .run(async (_input: void, deps) => locale.provide("fr", () => deps.phantom()))
      .build();
    const impersonate = r
      .task("impersonate")
      .dependencies({ forward })
      .run(async (_input: void, deps) => currentUser.provide({ id: "bob" }, () => deps.forward()))
      .build();
    const tunnel = r.tunnel
      .client("toSecond")
      .tasks([phantom])
      .http({ baseUrl: `http://127.0.0.1:${second.port}/__runner`, auth: { token } })
      .build();
    await using first = await startExposure([forward, impersonate], { auth }, [currentUser, locale, phantom, tunnel]);
    const of = async (task: string) =>
      (await send(first, `task/${task}`, as, { [currentUser.id]: { id: "root" } })).result;
    return [await of("forward"), await of("impersonate")];
  }

  it("the principal of a caller of one process is not sent to the next, with or without another in its place", async () => {
    const sent = JSON.stringify({ [locale.id]: '"fr"' });

    expect(await forwarded("t-ada")).toEqual([
      { sent, user: "nobody" },
      { sent, user: "nobody" },
    ]);
  });

  it("the principal of a caller of one process is what the process says itself where the caller has none", async () => {
    const [forward, impersonate] = await forwarded(token);

    expect(forward).toEqual({ sent: JSON.stringify({ [locale.id]: '"fr"' }), user: "nobody" });
    expect(impersonate.user).toEqual({ id: "bob!!" });
  });
});

describe("a caller without principal", () => {
  it("a caller without principal is served without one, and cannot claim one", async () => {
    await using exposure = await start();

    expect((await send(exposure, "task/whoAmI", token, { [currentUser.id]: { id: "root" } })).result.user).toBe(
      "nobody",
    );
  });

  it.each([
    ["a token without one", undefined],
    ["a validator that says nothing of it", { ok: true }],
    ["a validator that found none", { ok: true, principal: null }],
  ])("a caller without principal is refused where one is required: %s", async (_what, verdict) => {
    await using exposure = await start({ required: true }, verdict === undefined ? [] : [validator(verdict)]);

    const { status, error } = await send(exposure, "task/whoAmI", verdict === undefined ? token : "any");

    expect([status, error.code]).toEqual([401, "UNAUTHORIZED"]);
    expect((await send(exposure, "discovery", verdict === undefined ? token : "any")).status).toBe(401);
    expect((await send(exposure, "task/whoAmI", "t-ada")).status).toBe(200);
  });

  it("a caller without principal is refused where nothing but anonymous callers is configured", async () => {
    const anonymous = { allowAnonymous: true, token: undefined, tokens: undefined, required: true };
    await using exposure = await start(anonymous);

    expect((await send(exposure, "task/whoAmI", "")).status).toBe(401);
  });
});

describe("a forged principal", () => {
  const forged = { id: "root" };
  const { id } = currentUser;

  it.each<[string, Record<string, unknown>]>([
    ["under the id of the context", { [id]: forged }],
    ["in capitals", { [id.toUpperCase()]: forged }],
    ["in lower case", { [id.toLowerCase()]: forged }],
    ["with a space before the id", { [` ${id}`]: forged }],
    ["inside another context", { [locale.id]: { [id]: forged } }],
    ["under the prototype", JSON.parse(`{"__proto__":{"${id}":{"id":"root"}}}`) as Record<string, unknown>],
    ["as a list of pairs", { 0: [id, forged] }],
  ])("a forged principal %s is ignored, in tasks, nested tasks, events and discovery", async (_where, claims) => {
    await using exposure = await start();

    for (const as of [token, "t-ada"]) {
      const expected = as === token ? "nobody" : { id: "ada!" };
      expect((await send(exposure, "task/whoAmI", as, claims)).result.user).toEqual(expected);
      expect((await send(exposure, "task/asksOther", as, claims)).result.user).toEqual(expected);
      expect((await send(exposure, "event/noticed", as, claims)).result.user).toEqual(expected);
    }
    expect((await send(exposure, "discovery", "wrong", claims)).status).toBe(401);
    expect(await send(exposure, "discovery", token, claims)).toEqual(await send(exposure, "discovery", token));
  });

  it.each<[string, string | Buffer, Record<string, string>]>([
    ["a form", formOf(manifestPart({ [id]: forged })), formHeaders],
    ["bytes", "{}", { "content-type": "application/octet-stream" }],
    ["JSON with contexts beside the input", JSON.stringify({ input: 1, contexts: { [id]: forged } }), {}],
  ])("a forged principal is ignored in a call that sends %s", async (_what, body, headers) => {
    await using exposure = await start();
    const sent = JSON.stringify({ [id]: JSON.stringify(forged), [locale.id]: '"fr"' });

    const reply = await exposure.post("/__runner/task/whoAmI", body, { ...headers, "x-runner-context": sent });

    expect(await reply.json()).toMatchObject({ result: { user: "nobody", locale: "fr" } });
  });

  it("a forged principal in the query or in a header of its own is ignored", async () => {
    await using exposure = await start();
    const claim = encodeURIComponent(JSON.stringify(forged));

    const reply = await exposure.post(`/__runner/task/whoAmI?${id}=${claim}&principal=${claim}`, "{}", {
      [id]: JSON.stringify(forged),
      "x-runner-principal": JSON.stringify(forged),
    });

    expect(await reply.json()).toMatchObject({ result: { user: "nobody" } });
  });

  it.each(["X-Runner-Context", "x-runner-context"])(
    "a forged principal is ignored in a %s header that is sent twice",
    async (name) => {
      await using exposure = await start();
      const connection = exposure.connect();
      const header = `${name}: ${JSON.stringify({ [id]: JSON.stringify(forged) })}`;

      connection.write(
        `POST /__runner/task/whoAmI HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nx-runner-token: ${token}\r\n` +
          `${header}\r\n${header}\r\nContent-Length: 2\r\n\r\n{}`,
      );

      expect(await connection.closed).toContain('"user":"nobody"');
    },
  );

  it("a forged principal with the schema's own output is ignored", async () => {
    await using exposure = await start({ required: true });

    expect((await send(exposure, "task/whoAmI", token, { [id]: { id: "ada!" } })).status).toBe(401);
  });
});
