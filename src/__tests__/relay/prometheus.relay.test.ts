import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createHttpSmartClient, r, tunnelServe } from "../../node";
import { startExposure, token } from "../support/exposure";
import { freePort } from "../support/freePort";
import { relayToken, startRelay } from "../support/relay/relay";
import { root } from "../support/root";
import { findParty } from "./support/parties";
import { runParty, startServerProgram, tempFolder } from "./support/programs";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

const page = read("readmes/relay/PRODUCTION.md");
const [, alerts = ""] = /^```yaml\n# file: relay-alerts\.yml\n([^]*?)\n```$/m.exec(page) ?? [];

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const { panels } = JSON.parse(read("examples/operations/dashboards/service.json")) as Dashboard;
const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

const sell = r
  .task("shop.sell")
  .run(async ({ cents }: { cents: number }) => {
    if (cents < 0) throw new Error("Nothing is sold for less than nothing.");
    return cents;
  })
  .build();

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly unknown[] };
}

/** Prometheus, which asks one server for its metrics every second. */
async function startPrometheus(target: string) {
  const folder = await tempFolder();
  const port = await freePort();
  const config = `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: shop
    metrics_path: /metrics
    static_configs: [{ targets: ["${target}"] }]
`;
  await writeFile(join(folder.path, "prometheus.yml"), config);
  const options = {
    "config.file": join(folder.path, "prometheus.yml"),
    "storage.tsdb.path": join(folder.path, "data"),
    "web.listen-address": `127.0.0.1:${port}`,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const program = await startServerProgram(findParty("prometheus"), args, port);
  // It listens before it can answer queries.
  while (!(await fetch(`http://127.0.0.1:${port}/-/ready`)).ok) await delay(20);
  return {
    async query(expr: string): Promise<Answer> {
      const reply = await fetch(`http://127.0.0.1:${port}/api/v1/query`, {
        method: "POST",
        body: new URLSearchParams({ query: expr }),
      });
      return (await reply.json()) as Answer;
    },
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A query as Grafana sends it, with what its variables stand for. */
const withVariables = (expr: string): string => expr.replaceAll("$job", "shop").replaceAll("$__rate_interval", "1m");

it("Prometheus reads the metrics of an exposure, and every query of the dashboard finds something in them", async () => {
  await using exposure = await startExposure([sell], { metrics: "/metrics" });
  await using prometheus = await startPrometheus(`127.0.0.1:${exposure.port}`);
  await using client = createHttpSmartClient({
    baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
    auth: { token },
  });
  const isThere = async (expr: string): Promise<boolean> =>
    ((await prometheus.query(expr)).data?.result.length ?? 0) > 0;

  // A rate takes two samples between which something was counted, of series that were there before.
  const sold = `rate(runner_requests_total{code!="OK"}[1m]) > 0`;
  while (!(await isThere(sold))) {
    await client.task(sell, { cents: 5 });
    await client.safe(sell, { cents: -1 });
    await delay(100);
  }

  const empty: unknown[] = [];
  for (const { title, expr } of queries) {
    const { status, error, data } = await prometheus.query(withVariables(expr));
    if (status !== "success" || data?.result.length === 0) empty.push({ title, expr, status, error });
  }
  expect(empty).toEqual([]);
  expect(queries.length).toBeGreaterThan(10);
});

it("promtool finds nothing wrong with the metrics of an exposure, those of a relay, and the alerts of its page", async () => {
  await using exposure = await startExposure([sell], { metrics: "/metrics" });
  await using relay = await startRelay();
  await using driver = await tunnelServe({ ...relay.driver, name: "shop", server: (_req, res) => res.end("open") });
  await (await fetch(`http://127.0.0.1:${driver.containerPort}/`)).text();
  await using folder = await tempFolder();
  const rules = join(folder.path, "relay-alerts.yml");
  await writeFile(rules, alerts);
  const metricsOf = async (url: string, headers: Record<string, string> = {}): Promise<string> =>
    (await fetch(url, { headers })).text();

  const ofExposure = await metricsOf(`http://127.0.0.1:${exposure.port}/metrics`);
  const ofRelay = await metricsOf(new URL("/api/v1/tunnel/metrics", relay.relay.url).href, {
    "x-runner-token": relayToken,
  });

  expect(ofExposure).toContain("runner_requests_total");
  expect(ofRelay).toContain("hoody_tunnel_sessions_active");
  for (const input of [ofExposure, ofRelay]) {
    const { code, output, errors } = await runParty("promtool", ["check", "metrics"], { input });
    expect({ code, output: output.toString(), errors }).toEqual({ code: 0, output: "", errors: "" });
  }
  const checked = await runParty("promtool", ["check", "rules", rules]);
  expect(checked.output.toString() + checked.errors).toContain("SUCCESS: 6 rules found");
});
