import * as promClient from "prom-client";
import { createHttpMixedClient, metrics, r, run, type RegisterableItems } from "../../../node/index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { startExposure, token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { stranger } from "../../support/health";
import { parseMetrics, scrape, scrapeUntil } from "../../support/prometheus";

const declined = r.error<{ id: string }>("shop.errors.declined").httpCode(402).build();
const pay = r
  .task("shop.pay")
  .run(async ({ cents }: { cents: number }) => {
    if (cents < 0) throw new Error("inside");
    if (cents > 100) declined.throw({ id: "A1" });
    return cents;
  })
  .build();
const paid = r.event<{ cents: number }>("shop.paid").build();
const http = { metrics: "/metrics" };
const urlOf = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}/metrics`;

const payment = (cents: number): string => JSON.stringify({ input: { cents } });

describe("http.metrics", () => {
  it("counts requests by kind, id and code, and has the text that a parser of Prometheus reads", async () => {
    await using exposure = await startExposure([pay, paid], http, [declined]);
    await exposure.post("/__runner/task/shop.pay", payment(5));
    await exposure.post("/__runner/task/shop.pay", payment(6));
    await exposure.post("/__runner/task/shop.pay", payment(-1));
    await exposure.post("/__runner/task/shop.pay", payment(500));
    await exposure.post("/__runner/task/shop.pay", "{", {});
    await exposure.post("/__runner/event/shop.paid", JSON.stringify({ payload: { cents: 5 } }));
    await exposure.post("/__runner/task/shop.pay", payment(5), { "x-runner-token": "wrong" });

    const { types, samples, value } = await scrape(urlOf(exposure));

    expect(types).toEqual({
      runner_requests_total: "COUNTER",
      runner_request_seconds: "HISTOGRAM",
      runner_requests_in_flight: "GAUGE",
      runner_buffered_bytes: "GAUGE",
      runner_pool_sockets: "GAUGE",
    });
    const counted = samples.filter(({ name }) => name === "runner_requests_total");
    expect(counted.map(({ labels: { kind, id, code }, value: count }) => [kind, id, code, count])).toEqual([
      ["task", "shop.pay", "OK", 2],
      ["task", "shop.pay", "INTERNAL_ERROR", 1],
      ["task", "shop.pay", "shop.errors.declined", 1],
      ["task", "shop.pay", "INVALID_JSON", 1],
      ["task", "shop.pay", "UNAUTHORIZED", 1],
      ["event", "shop.paid", "OK", 1],
    ]);
    const pays = { kind: "task", id: "shop.pay" };
    const buckets = samples.filter(({ name, labels }) => name.endsWith("_bucket") && labels["kind"] === "task");
    expect(buckets.map(({ labels }) => labels["le"])).toEqual(
      "0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf".split(" "),
    );
    expect(buckets.map((bucket) => bucket.value)).toEqual(buckets.map((bucket) => bucket.value).sort((a, b) => a - b));
    expect(value("runner_request_seconds_bucket", { ...pays, le: "+Inf" })).toBe(6);
    expect(value("runner_request_seconds_count", pays)).toBe(6);
    expect(value("runner_request_seconds_sum", pays)).toBeGreaterThan(0);
  });

  it("answers GET and HEAD in version 0.0.4 of the format, and refuses other methods with 405", async () => {
    await using exposure = await startExposure([pay], http);
    const ask = (method: string) => fetch(urlOf(exposure), { method });

    const [get, head, post] = [await ask("GET"), await ask("HEAD"), await ask("POST")];

    expect(get.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(get.headers.get("cache-control")).toBe("no-store");
    expect((await get.text()).endsWith("\n")).toBe(true);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("is off by default, and counts no requests for itself and for probes", async () => {
    await using without = await startExposure([pay]);
    await using exposure = await startExposure([pay], { ...http, health: "/healthz" });
    await fetch(`http://127.0.0.1:${exposure.port}/healthz`);
    await scrape(urlOf(exposure));

    expect((await fetch(urlOf(without))).status).toBe(404);
    expect((await scrape(urlOf(exposure))).value("runner_requests_total")).toBeUndefined();
  });

  it("answers programs of this machine, and whoever else authenticates; strangers and pages get 401", async () => {
    await using exposure = await startExposure([pay], http);
    const statusFor = async (headers: Record<string, string>) => (await fetch(urlOf(exposure), { headers })).status;

    expect(await statusFor({})).toBe(200);
    expect(await statusFor(stranger)).toBe(401);
    expect(await statusFor({ ...stranger, "x-runner-token": "wrong" })).toBe(401);
    expect(await statusFor({ ...stranger, "x-runner-token": token })).toBe(200);
    expect(await statusFor({ origin: "https://elsewhere.example" })).toBe(401);
  });

  it("answers no stranger of an exposure that has no authentication, even if it serves every caller", async () => {
    await using exposure = await startExposure([pay], { ...http, auth: { allowAnonymous: true } });

    const reply = await fetch(urlOf(exposure), { headers: stranger });

    expect([reply.status, await reply.json()]).toEqual([
      401,
      { ok: false, error: { message: "Unauthorized", code: "UNAUTHORIZED" } },
    ]);
  });

  it("refuses an address that guesses tokens with 429, as calls are", async () => {
    await using exposure = await startExposure([pay], {
      ...http,
      auth: { token, maxFailures: 2 },
      trustedProxies: ["127.0.0.1"],
    });
    const statuses = [];
    for (let tries = 0; tries < 3; tries++) {
      const headers = { ...stranger, "x-runner-token": `guess ${tries}` };
      statuses.push((await fetch(urlOf(exposure), { headers })).status);
    }

    expect(statuses).toEqual([401, 401, 429]);
  });

  it("folds ids that the application does not have into one, however many are asked for", async () => {
    await using exposure = await startExposure([pay], http);
    for (let asked = 0; asked < 20; asked++) {
      await exposure.post(`/__runner/task/made.up${asked}`);
      await exposure.post(`/__runner/event/made"up${asked}`);
      await exposure.post(`/__runner/nothing${asked}`);
    }

    const { samples } = await scrape(urlOf(exposure));

    const counted = samples.filter(({ name }) => name === "runner_requests_total");
    expect(counted.map(({ labels: { kind, id, code }, value }) => [kind, id, code, value])).toEqual([
      ["task", "_OTHER", "FORBIDDEN", 20],
      ["event", "_OTHER", "FORBIDDEN", 20],
      ["other", "_OTHER", "NOT_FOUND", 20],
    ]);
  });

  it("writes ids as they are, whatever characters they have", async () => {
    const id = 'odd "id" \\ with\nlines';
    const odd = r
      .task(id)
      .run(async () => 1)
      .build();
    await using exposure = await startExposure([odd], http);
    await exposure.post(`/__runner/task/${encodeURIComponent(id)}`);

    expect((await scrape(urlOf(exposure))).value("runner_requests_total", { kind: "task", id, code: "OK" })).toBe(1);
  });

  it("shows what is in flight and what bodies take, while a call is served, and 0 afterwards", async () => {
    const [started, gate] = [createDeferred(), createDeferred()];
    const slow = r
      .task("slow")
      .run(async () => {
        started.resolve();
        await gate.promise;
      })
      .build();
    await using exposure = await startExposure([slow], http);
    const half = exposure.connect();
    const head = ["POST /__runner/task/slow HTTP/1.1", "Host: localhost", `x-runner-token: ${token}`];
    half.write([...head, "Content-Length: 100000", "", `{"input":"${"x".repeat(50_000)}`].join("\r\n"));
    const running = exposure.post("/__runner/task/slow");
    await started.promise;

    await scrapeUntil(urlOf(exposure), ({ value }) => value("runner_requests_in_flight") === 2);
    await scrapeUntil(urlOf(exposure), ({ value }) => Number(value("runner_buffered_bytes")) > 10_000);
    gate.resolve();
    await running;
    half.socket.destroy();

    const { value } = await scrapeUntil(urlOf(exposure), (now) => now.value("runner_requests_in_flight") === 0);
    expect(value("runner_buffered_bytes")).toBe(0);
    expect(value("runner_requests_total", { code: "REQUEST_ABORTED" })).toBe(1);
  });

  it("counts the connections of clients while they are open", async () => {
    await using exposure = await startExposure([pay], http);
    const before = (await scrape(urlOf(exposure))).value("runner_pool_sockets") ?? 0;
    const client = createHttpMixedClient({ baseUrl: exposure.handlers.url, auth: { token } });
    await client.task("shop.pay", { cents: 5 });

    expect((await scrape(urlOf(exposure))).value("runner_pool_sockets")).toBe(before + 1);
    await client.close();

    await scrapeUntil(urlOf(exposure), ({ value }) => value("runner_pool_sockets") === before);
  });

  it("has the same path as no other probe, and none where calls arrive", async () => {
    await expect(startExposure([pay], { metrics: "/up", health: "/up" })).rejects.toThrow(
      "http.health and http.metrics answer different questions",
    );
    await expect(startExposure([pay], { metrics: "/__runner/discovery" })).rejects.toThrow("where calls arrive");
  });
});

describe("metrics", () => {
  const start = (...items: readonly RegisterableItems[]) =>
    run(appOf(...items), { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } });

  it("takes the buckets that its config has", async () => {
    await using exposure = await startExposure([pay], http, [metrics.with({ buckets: [0.5, 60] })]);
    await exposure.post("/__runner/task/shop.pay", payment(5));

    const { samples } = await scrape(urlOf(exposure));

    const bounds = samples.filter(({ name }) => name.endsWith("_bucket")).map(({ labels }) => labels["le"]);
    expect(bounds).toEqual(["0.5", "60", "+Inf"]);
  });

  it("gives its text to other servers, and counts only while its run lasts", async () => {
    const app = await start(metrics);

    const { contentType, text } = app.getResourceValue(metrics);

    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(parseMetrics(await text()).value("runner_requests_in_flight")).toBe(0);
    await app.dispose();
  });

  it("registers with prom-client, whose text has the same series beside those of the application", async () => {
    const register = new promClient.Registry();
    new promClient.Counter({ name: "shop_orders_total", help: "Orders.", registers: [register] }).inc(3);
    await using own = await startExposure([pay], http, [declined]);
    const exposure = await startExposure([pay], http, [declined, metrics.with({ promClient, register })]);
    for (const each of [own, exposure]) {
      for (const cents of [1, 2, 500, -1]) await each.post("/__runner/task/shop.pay", payment(cents));
    }

    const theirs = await scrape(urlOf(exposure));
    const ours = await scrape(urlOf(own));

    const seriesOf = ({ samples }: typeof ours) =>
      samples
        .filter(({ name }) => name.startsWith("runner_"))
        .map(({ name, labels }) => [name, ...Object.entries(labels).map((pair) => pair.join("="))].sort().join(" "));
    expect(theirs.value("shop_orders_total")).toBe(3);
    expect(seriesOf(theirs).sort()).toEqual(seriesOf(ours).sort());
    expect(theirs.types).toEqual({ ...ours.types, shop_orders_total: "COUNTER" });
    expect(theirs.value("runner_requests_total", { code: "OK" })).toBe(2);
    await exposure.app.dispose();
    expect(register.getMetricsAsArray().map(({ name }) => name)).toEqual(["shop_orders_total"]);
  });

  it("rejects the boot where the registry has its names already, and leaves nothing of its own there", async () => {
    const register = new promClient.Registry();
    new promClient.Gauge({ name: "runner_pool_sockets", help: "Of another run.", registers: [register] });

    const error = await rejectionOf(start(metrics.with({ promClient, register })));

    expect(String(error)).toContain("runner_pool_sockets has already been registered");
    expect(register.getMetricsAsArray().map(({ name }) => name)).toEqual(["runner_pool_sockets"]);
  });

  it.each([
    [{ buckets: [] }, "metrics.buckets must be a list of 1 to 50 ascending numbers above 0"],
    [{ buckets: [1, 1] }, "metrics.buckets"],
    [{ buckets: [0] }, "metrics.buckets"],
    [{ promClient: {} }, "metrics.promClient must be"],
    [{ register: new promClient.Registry() }, "metrics.register needs metrics.promClient"],
    [{ bucket: [1] }, "Did you mean metrics.buckets?"],
  ])("refuses %j as its config", (config, message) => {
    expect(() => metrics.with(config as never)).toThrow(message);
  });
});
