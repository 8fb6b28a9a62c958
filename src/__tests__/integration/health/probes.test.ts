import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { globals, nodeExposure, r, run, type HealthCheckConfig } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { probe } from "../../support/health";
import { soon } from "../../support/soon";

const paths = { health: "/healthz", ready: "/readyz" };
const check = (id: string, body: (signal: AbortSignal) => unknown, config: HealthCheckConfig = {}) =>
  r
    .task(id)
    .tags([globals.tags.healthCheck.with({ cacheMs: 0, ...config })])
    .run(async (_input: void, _deps, { signal }): Promise<unknown> => body(signal))
    .build();
const hello = r
  .task("hello")
  .run(async () => "hi")
  .build();

const statuses = async (exposure: Pick<TestExposure, "port">): Promise<number[]> => [
  (await probe(exposure, "/healthz")).status,
  (await probe(exposure, "/readyz")).status,
];

describe("http.health and http.ready", () => {
  it("http.health and http.ready answer anyone with 200 and application/health+json once the run is ready", async () => {
    await using exposure = await startExposure([hello], paths);

    const replies = [await probe(exposure, "/healthz?probe=1"), await probe(exposure, "/readyz")];

    const passing = { status: 200, contentType: "application/health+json", body: { status: "pass", checks: {} } };
    expect(replies).toEqual([passing, passing]);
  });

  it("http.health and http.ready are off by default", async () => {
    await using exposure = await startExposure([hello]);

    for (const path of ["/healthz", "/readyz", "/__runner/health", "/__runner/ready"]) {
      expect((await fetch(`http://127.0.0.1:${exposure.port}${path}`)).status).toBe(404);
    }
  });

  it("http.health and http.ready may be inside the base path, and calls beside them go on", async () => {
    await using exposure = await startExposure([hello], { health: "/__runner/health", ready: "/__runner/ready" });

    const reply = await exposure.post("/__runner/task/hello");

    expect((await probe(exposure, "/__runner/health")).status).toBe(200);
    expect((await probe(exposure, "/__runner/ready")).status).toBe(200);
    expect(await reply.json()).toEqual({ ok: true, result: "hi" });
  });

  it("http.health and http.ready answer HEAD without a body, and refuse other methods with 405", async () => {
    await using exposure = await startExposure([hello], paths);
    const ask = (method: string) => fetch(`http://127.0.0.1:${exposure.port}/healthz`, { method });

    const [head, post] = [await ask("HEAD"), await ask("POST")];

    expect([head.status, await head.text(), head.headers.get("cache-control")]).toEqual([200, "", "no-store"]);
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("http.health and http.ready log nothing, whatever the checks say", async () => {
    const failing = check("failing", () => false);
    await using exposure = await startExposure([failing], { ...paths, drain: { quietMs: 0 } });
    const before = exposure.logs.length;

    await statuses(exposure);

    expect(exposure.logs.slice(before)).toEqual([]);
  });

  it("http.health and http.ready answer while calls take every place that limits leave them", async () => {
    const [started, gate] = [createDeferred(), createDeferred()];
    const slow = r
      .task("slow")
      .run(async () => {
        started.resolve();
        await gate.promise;
      })
      .build();
    await using exposure = await startExposure([slow], { ...paths, limits: { inFlight: 1, running: 1 } });
    const running = exposure.post("/__runner/task/slow");
    await started.promise;

    const refused = await exposure.post("/__runner/task/slow");
    const answered = await statuses(exposure);
    gate.resolve();

    expect([refused.status, answered]).toEqual([503, [200, 200]]);
    await running;
  });

  it("http.health says 200 and http.ready 503 until the last hook on ready has ended", async () => {
    const asked = createDeferred<number[]>();
    const exposed = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, ...paths } });
    const failing = check("failing", () => false, { affects: "health" });
    const hook = r
      .hook("late")
      .on(globals.events.ready)
      .order(1_000)
      .dependencies({ exposure: nodeExposure })
      .run(async (_event, { exposure }) => asked.resolve(await statuses(exposure)))
      .build();
    const root = r.resource("app").register([exposed, hook, failing]).build();

    await using app = await run(root, { shutdownHooks: false, logs: { printThreshold: null } });

    expect(await asked.promise).toEqual([200, 503]);
    expect(await statuses(app.getResourceValue(nodeExposure))).toEqual([503, 503]);
  });

  it("http.health and http.ready belong to an exposure that is attached to a server of yours, and to one behind Express", async () => {
    const server = createServer((_req, res) => void res.end("yours"));
    await using exposure = await startExposure([hello], { ...paths, listen: undefined, server });
    const app = express();
    app.use((req, res, next) => void exposure.handlers.handleRequest(req, res).then((served) => served || next()));
    // A path of the application that looks like the probe once it is cut.
    app.use("/api", (req, res, next) => void exposure.handlers.handleRequest(req, res).then((s) => s || next()));
    app.use((_req, res) => void res.send("yours"));
    const mounted = createServer(app as never);
    const ports = await Promise.all(
      [server, mounted].map(async (each) => {
        await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
        return (each.address() as AddressInfo).port;
      }),
    );

    for (const port of ports) {
      expect(await statuses({ port })).toEqual([200, 200]);
      expect(await (await fetch(`http://127.0.0.1:${port}/api/healthz`)).text()).toBe("yours");
    }

    for (const each of [server, mounted]) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  });
});

describe("http.health and http.ready of an exposure that drains", () => {
  it("http.ready of an exposure that drains says 503 at once, and http.health 200 and warn, while calls are still served", async () => {
    await using exposure = await startExposure([hello], { ...paths, drain: { delayMs: 1000, quietMs: 0 } });

    const closed = exposure.handlers.close();
    const [health, ready] = [await probe(exposure, "/healthz"), await probe(exposure, "/readyz")];
    const call = await exposure.post("/__runner/task/hello");

    expect([health.status, health.body.status]).toEqual([200, "warn"]);
    expect([ready.status, ready.body]).toEqual([503, { status: "fail", checks: {} }]);
    expect([call.status, exposure.handlers.phase]).toEqual([200, "draining"]);
    await soon(closed);
  });

  it("http.health of an exposure that has closed says 503 on a server of yours", async () => {
    const server = createServer();
    await using exposure = await startExposure([hello], { ...paths, listen: undefined, server });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;

    await exposure.handlers.close();

    expect(await statuses({ port })).toEqual([503, 503]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("http.ready of all exposures of a run that ends says 503 while one of them waits for a call", async () => {
    const [started, gate] = [createDeferred(), createDeferred()];
    const slow = r
      .task("slow")
      .run(async () => {
        started.resolve();
        await gate.promise;
      })
      .build();
    const http = { ...paths, drain: { delayMs: 1000, quietMs: 0 } };
    const other = nodeExposure.fork("test.other");
    const otherConfigured = other.with({ http: { ...http, listen: { port: 0 }, auth: { token } } });
    await using exposure = await startExposure([slow], http, [otherConfigured]);
    const handlers = [exposure.handlers, exposure.app.getResourceValue(other)];
    const running = exposure.post("/__runner/task/slow");
    await started.promise;

    const ended = exposure.app.dispose();
    const answered = await Promise.all(handlers.map(statuses));
    const phases = handlers.map(({ phase }) => phase);
    gate.resolve();

    expect(answered).toEqual([
      [200, 503],
      [200, 503],
    ]);
    expect(phases).toEqual(["draining", "draining"]);
    expect((await running).status).toBe(200);
    await soon(ended);
    expect(handlers.map(({ phase }) => phase)).toEqual(["closed", "closed"]);
  });

  it("a check that runs is aborted when the server waits no longer, and its probe is answered", async () => {
    const started = createDeferred();
    const patient = check(
      "patient",
      (signal) => {
        started.resolve();
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      },
      { affects: "health", timeoutMs: 60_000 },
    );
    await using exposure = await startExposure([patient], { ...paths, drain: { quietMs: 0, graceMs: 20 } });
    const asked = probe(exposure, "/healthz", {});
    await started.promise;

    await soon(exposure.handlers.close());

    const { status, body } = await asked;
    expect([status, body.checks["patient"]?.output]).toEqual([503, "The server is closing."]);
  });
});
