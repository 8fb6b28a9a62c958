import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";

const read = (name: string): string => readFileSync(join(__dirname, name), "utf8");

interface HttpProbe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

interface Container {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: HttpProbe;
  readonly readinessProbe: HttpProbe;
  readonly livenessProbe: HttpProbe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: Pod } };
}

/** What the pod is made of. */
function readPod(): Pod {
  const documents = parseAllDocuments(read("deployment.yaml"));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const manifests = documents.map((document) => document.toJS() as Manifest);
  expect(manifests.map(({ kind }) => kind)).toEqual(["Deployment", "Service", "PodDisruptionBudget"]);
  return (manifests[0] as Manifest).spec.template.spec;
}

/** The settings of a unit, as systemd reads them; an odd line fails the test. */
function readUnit(name: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let section = "";
  for (const line of read(name).split("\n")) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    else {
      const [, key, value] = /^([A-Z]\w+)=(.+)$/.exec(line) ?? [];
      expect([name, line, key]).not.toContain(undefined);
      settings.set(`${section}.${String(key)}`, String(value));
    }
  }
  return settings;
}

/** What the steps of a shutdown take at most once the signal is there, in seconds. */
function longestEnd(delayMs: number): number {
  const program = read("main.ts");
  const valueOf = (name: string): number =>
    Number(new RegExp(`${name}: ([\\d_]+)`).exec(program)?.[1]?.replaceAll("_", ""));
  return (delayMs + valueOf("graceMs") + 1_000 + valueOf("shutdownTimeoutMs")) / 1_000;
}

/** Runs the program as the recipes do. */
function start(env: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "./.ci/typescript.mjs", join(__dirname, "main.ts")], {
    env: { ...process.env, NODE_ENV: "production", RUNNER_TOKEN: "s3cret", ...env },
  });
  let output = "";
  const url = new Promise<string>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      output += chunk.toString();
      const [, found] = /^Serving at (http:\S+)$/m.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
    child.once("close", () => reject(new Error(output)));
  });
  const ended = once(child, "close").then(([code]: unknown[]) => code);
  return { child, url, ended, output: () => output };
}

describe("the recipe for Kubernetes", () => {
  it("the recipe for Kubernetes gives a pod more time than its longest end, preStop included", () => {
    const { terminationGracePeriodSeconds, containers } = readPod();
    const { env, lifecycle } = containers[0];
    const delayMs = Number(env.find(({ name }) => name === "DRAIN_DELAY_MS")?.value);

    expect(longestEnd(delayMs)).toBe(36);
    expect(terminationGracePeriodSeconds).toBeGreaterThan(lifecycle.preStop.sleep.seconds + longestEnd(delayMs));
  });

  it("the recipe for Kubernetes drains for longer than the readiness probe takes to fail", () => {
    const { env, readinessProbe } = readPod().containers[0];
    const { periodSeconds, timeoutSeconds, failureThreshold } = readinessProbe;
    const delayMs = Number(env.find(({ name }) => name === "DRAIN_DELAY_MS")?.value);

    expect(delayMs / 1_000).toBeGreaterThan(periodSeconds * failureThreshold + timeoutSeconds);
  });
});

describe("the recipe for systemd", () => {
  it("the recipe for systemd gives the unit more time than its longest end, and stops it by SIGTERM", () => {
    const unit = readUnit("shop.service");
    const [, delayMs] = /DRAIN_DELAY_MS=(\d+)/.exec(unit.get("Service.Environment") ?? "") ?? [];

    expect(Number(unit.get("Service.TimeoutStopSec"))).toBeGreaterThan(longestEnd(Number(delayMs)));
    expect([unit.get("Service.KillSignal"), unit.get("Service.Type")]).toEqual(["SIGTERM", "exec"]);
  });

  it("the recipe for systemd asks for the health of the unit by a timer, at the port where it listens", () => {
    const [unit, check, timer] = [
      readUnit("shop.service"),
      readUnit("shop-health.service"),
      readUnit("shop-health.timer"),
    ];
    const [, port] = /PORT=(\d+)/.exec(unit.get("Service.Environment") ?? "") ?? [];

    expect(unit.get("Service.ExecStartPost")).toContain(`http://127.0.0.1:${String(port)}/readyz`);
    expect(check.get("Service.ExecStart")).toContain(`http://127.0.0.1:${String(port)}/healthz`);
    expect(timer.get("Timer.OnUnitInactiveSec")).toMatch(/^\d+$/);
  });
});

describe("the program of the recipes", () => {
  beforeAll(ensureBuilt, buildTimeoutMs);

  it("the program of the recipes answers every probe of the deployment, is not ready while it drains, and exits with 0", async () => {
    const { startupProbe, readinessProbe, livenessProbe } = readPod().containers[0];
    const service = start({ PORT: "0", DRAIN_DELAY_MS: "3000" });
    const url = await service.url;
    // As a kubelet does: a connection for each, so that none is used again just when the server ends it.
    const ask = async ({ httpGet }: HttpProbe): Promise<number> => {
      const [reply] = (await once(get(new URL(httpGet.path, url), { agent: false }), "response")) as [IncomingMessage];
      reply.resume();
      return Number(reply.statusCode);
    };

    const serving = await Promise.all([startupProbe, readinessProbe, livenessProbe].map(ask));
    service.child.kill("SIGTERM");
    let ready = await ask(readinessProbe);
    while (ready === 200) ready = await ask(readinessProbe);
    const alive = await ask(livenessProbe);

    expect(serving).toEqual([200, 200, 200]);
    expect([ready, alive]).toEqual([503, 200]);
    expect(await service.ended).toBe(0);
    expect(service.output()).not.toContain("readyz");
  });
});
