import { fetchExposure, nodeExposure, r } from "../index";
import { lockContract } from "../../tunnels/contract/contractLock";
import { openApiOf } from "../../tunnels/contract/openApi";
import { startExposure, token, type TestExposure } from "../../__tests__/support/exposure";
import { startFetchEdge, type TestFetchEdge } from "../../__tests__/support/fetchEdge";
import { stranger } from "../../__tests__/support/health";
import { charge, charged, refund } from "../../__tests__/support/shop";

const hidden = r
  .task("shop.tasks.hidden")
  .run(async () => "hidden")
  .build();
const served = [charge, refund, charged];
const path = "/openapi.json";
const http = { openapi: path };
const known = { "x-runner-token": token };

/** What `runner openapi` writes of what is served, but for the address of the server. */
const expected = async (tasks = [charge, refund] as Parameters<typeof lockContract>[0]["tasks"], events = [charged]) =>
  openApiOf(await lockContract({ tasks, events }), {
    title: "Runner",
    url: "/__runner",
    tokenHeader: "x-runner-token",
  });

const ask = ({ port }: TestExposure, headers: Record<string, string> = known, method = "GET") =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers, method });
const askEdge = ({ handlers }: TestFetchEdge, headers: Record<string, string> = known, method = "GET") =>
  handlers.fetch(new Request(`http://edge.test${path}`, { headers, method }));

describe("http.openapi of an exposure", () => {
  it("answers with the document of what server tunnels open, and of nothing else", async () => {
    await using exposure = await startExposure(served, http, [hidden]);
    const reply = await ask(exposure);
    const document = (await reply.json()) as { paths: object };

    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(document).toEqual(JSON.parse(JSON.stringify(await expected())));
    expect(Object.keys(document.paths)).toEqual([
      "/task/shop.tasks.charge",
      "/task/shop.tasks.refund",
      "/event/shop.events.charged",
    ]);
  });

  it("is off by default", async () => {
    await using exposure = await startExposure(served);

    expect((await ask(exposure)).status).toBe(404);
  });

  it("refuses with 401 who has no token or a wrong one, programs of this machine among them", async () => {
    await using exposure = await startExposure(served, http);
    const refused = { ok: false, error: { message: "Unauthorized", code: "UNAUTHORIZED" } };
    for (const headers of [{}, stranger, { "x-runner-token": "wrong" }]) {
      const reply = await ask(exposure, headers);

      expect([reply.status, await reply.json()]).toEqual([401, refused]);
    }
    expect((await ask(exposure, { ...stranger, ...known })).status).toBe(200);
  });

  it("answers where discovery does of an exposure without authentication: programs of this machine alone", async () => {
    await using exposure = await startExposure(served, { ...http, auth: undefined });
    const statusesFor = async (headers: Record<string, string>) => [
      (await ask(exposure, headers)).status,
      (await fetch(`http://127.0.0.1:${exposure.port}/__runner/discovery`, { headers })).status,
    ];

    expect(await statusesFor({})).toEqual([200, 200]);
    expect(await statusesFor(stranger)).toEqual([500, 500]);
  });

  it("answers HEAD without a body, and refuses other methods with 405", async () => {
    await using exposure = await startExposure(served, http);
    const [get, head, post] = [
      await ask(exposure),
      await ask(exposure, known, "HEAD"),
      await ask(exposure, known, "POST"),
    ];

    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("content-length")).toBe(String(Buffer.byteLength(await get.text())));
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("describes each schema once, and to a caller what it may reach alone", async () => {
    let described = 0;
    const schema = {
      parse: (value: unknown) => value,
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => ({ value }),
        jsonSchema: { input: () => ({ title: `described ${++described}` }), output: () => ({}) },
      },
    };
    const counted = r
      .task("shop.tasks.counted")
      .inputSchema(schema)
      .run(async () => 1)
      .build();
    const tokens = [{ token: "t-one", tasks: [counted.id] }, { token: "t-all" }];
    await using exposure = await startExposure([counted, refund], { ...http, auth: { tokens } });
    const pathsFor = async (as: string) => {
      const { paths } = (await (await ask(exposure, { "x-runner-token": as })).json()) as { paths: object };
      return Object.keys(paths);
    };

    expect(await pathsFor("t-one")).toEqual(["/task/shop.tasks.counted"]);
    expect(await pathsFor("t-one")).toEqual(["/task/shop.tasks.counted"]);
    expect(described).toBe(1);
    expect(await pathsFor("t-all")).toEqual(["/task/shop.tasks.counted", "/task/shop.tasks.refund"]);
    await Promise.all([pathsFor("t-all"), pathsFor("t-one")]);
    expect(described).toBe(2);
  });

  it("has the path of what may be listened to for callers that may, and for no others", async () => {
    const heard = r.tunnel.server("shop.heard").subscribable([charged]).build();
    const tokens = [
      { token: "t-emits", events: [charged.id] },
      { token: "t-hears", subscribable: [charged.id] },
    ];
    await using exposure = await startExposure([charged], { ...http, auth: { tokens } }, [heard]);
    const pathsFor = async (as: string) => {
      const { paths } = (await (await ask(exposure, { "x-runner-token": as })).json()) as { paths: object };
      return Object.keys(paths);
    };

    expect(await pathsFor("t-emits")).toEqual(["/event/shop.events.charged"]);
    expect(await pathsFor("t-hears")).toEqual(["/subscribe"]);
  });

  it("has a path of its own, which is none where calls arrive", () => {
    const configure = (given: object) => () => nodeExposure.with({ http: given });

    expect(configure({ openapi: "/up", metrics: "/up" })).toThrow(
      "http.metrics and http.openapi answer different questions: give them different paths.",
    );
    expect(configure({ openapi: "/__runner/discovery" })).toThrow(
      'http.openapi must not be "/__runner/discovery", where calls arrive.',
    );
    expect(configure({ openapi: "openapi.json" })).toThrow('http.openapi must be a path such as "/openapi.json"');
    expect(configure({ openapi: "/__runner/openapi.json" })).not.toThrow();
  });
});

describe("http.openapi of a fetch edge", () => {
  it("answers callers that authenticate with the document of what server tunnels open", async () => {
    await using edge = await startFetchEdge(served, http, [hidden]);
    const reply = await askEdge(edge);

    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
    expect(await reply.json()).toEqual(JSON.parse(JSON.stringify(await expected())));
    expect((await askEdge(edge, {})).status).toBe(401);
    expect((await askEdge(edge, { "x-runner-token": "wrong" })).status).toBe(401);
  });

  it("is off by default, answers HEAD without a body, and refuses other methods with 405", async () => {
    await using without = await startFetchEdge(served);
    await using edge = await startFetchEdge(served, http);
    const [head, post] = [await askEdge(edge, known, "HEAD"), await askEdge(edge, known, "POST")];

    expect((await askEdge(without)).status).toBe(404);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("has a path of its own, which is none where calls arrive", () => {
    const configure = (given: object) => () => fetchExposure.with({ http: given });

    expect(configure({ openapi: "/up", metrics: "/up" })).toThrow("give them different paths.");
    expect(configure({ openapi: "/__runner/task/a" })).toThrow("where calls arrive.");
    expect(configure({ openapi: 7 })).toThrow('http.openapi must be a path such as "/openapi.json"');
  });
});
