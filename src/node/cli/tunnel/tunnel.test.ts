import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { get } from "node:https";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { localhostCertificate } from "../../../__tests__/support/certificate";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { freePort } from "../../../__tests__/support/freePort";
import { createTempProject } from "../../../__tests__/support/tempProject";
import { root } from "../../../__tests__/support/root";

const cli = join(root, "dist/cli.js");
const token = "t0p-s3cret";
const { NODE_ENV: _mode, ...environment } = process.env;

type Line = Record<string, unknown>;

/** `npx @bluelibs/runner tunnel …` while it runs. Disposing ends it. */
function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [cli, "tunnel", ...args], { env: { ...environment, ...env } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const stderr = text(child.stderr);
  const ended = once(child, "close").then(([exitCode]: (number | null)[]) => exitCode);
  const line = async (): Promise<string> => ((await lines.next()) as { value?: string }).value ?? "";
  return {
    child,
    line,
    json: async () => JSON.parse(await line()) as Line,
    /** What is left of the output, once the command has ended. */
    async end(signal?: NodeJS.Signals) {
      if (signal !== undefined) child.kill(signal);
      const rest: string[] = [];
      for await (const each of { [Symbol.asyncIterator]: () => lines }) rest.push(each);
      return { exitCode: await ended, rest, stderr: await stderr };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A command that ends by itself. */
async function runner(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...environment, ...env } });
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await closed) as [number];
  return { exitCode, stdout, stderr };
}

const ask = (relay: string, ...args: string[]) => runner(["tunnel", ...args], at(relay));
const read = async (relay: string, ...args: string[]) =>
  JSON.parse((await ask(relay, ...args, "--json")).stdout) as Line;
const at = (relay: string, withToken = token) => ({ RUNNER_TUNNEL_RELAY: relay, RUNNER_TUNNEL_TOKEN: withToken });

/** Ports below those that the system hands out; where one is taken the relay tries another. */
const relayArgs = ["relay", "--port", "0", "--port-range", "21000-29999", "--json"];

async function startRelay(...args: string[]) {
  const relay = start([...relayArgs, "--token", "other", "--token", token, ...args]);
  const { url } = await relay.json();
  return { ...relay, url: url as string };
}

async function startService() {
  const server = createServer((req, res) => void res.end(`served ${req.url}`)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: String((server.address() as AddressInfo).port), [Symbol.asyncDispose]: close };
}

beforeAll(ensureBuilt, buildTimeoutMs);

it("a relay, a driver and an operator work together by commands alone", async () => {
  await using relay = await startRelay("--public-url-pattern", "http://127.0.0.1/t/{name}/");
  await using service = await startService();
  await using driver = start(["expose", service.port, "--name", "web", "--json"], at(relay.url));
  const bound = await driver.json();
  const { sessionId, port } = bound as { sessionId: string; port: number };
  const byPort = await (await fetch(`http://127.0.0.1:${port}/a`)).text();
  const byName = await (await fetch(`${relay.url}/t/web/b`)).text();

  const [health, sessions, bindings, { metrics }, list, table] = await Promise.all([
    read(relay.url, "health"),
    read(relay.url, "sessions", "list"),
    read(relay.url, "bindings", "list"),
    read(relay.url, "metrics"),
    ask(relay.url, "list"),
    ask(relay.url, "bindings", "list"),
  ]);
  const killed = await ask(relay.url, "sessions", "kill", sessionId, "--grace-ms", "0");
  const end = await driver.end();

  expect(relay.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(bound).toEqual({ event: "bound", sessionId, bindId: 1, port, publicUrl: "http://127.0.0.1/t/web/" });
  expect([byPort, byName]).toEqual(["served /a", "served /b"]);
  expect(health).toMatchObject({ status: "ok", pid: relay.child.pid });
  expect(sessions).toMatchObject({ sessions: [{ sessionId, bindings: [{ containerPort: port, bindId: 1 }] }] });
  expect(bindings).toEqual({ bindings: [{ port, kind: "http", mode: "expose", sessionId, bindId: 1 }] });
  expect(metrics).toContain('hoody_tunnel_streams_total{kind="http",mode="expose"} 2\n');
  expect(list.stdout).toContain("1 session, 0 parked, 1 binding, 0 streams\n");
  expect(table.stdout.split("\n").map((row) => row.split(/ +/))).toEqual([
    ["PORT", "KIND", "MODE", "SESSION", "BINDING"],
    [String(port), "http", "expose", sessionId, "1"],
    [""],
  ]);
  expect(killed).toEqual({ exitCode: 0, stdout: `Session ${sessionId} is closing.\n`, stderr: "" });
  expect(end.rest.map((each) => JSON.parse(each) as Line)).toEqual([
    { event: "goaway", code: "ADMIN_KILL", reconnect: false },
    { event: "state", state: "closed" },
  ]);
  expect([end.exitCode, end.stderr]).toEqual([1, ""]);
});

it("SIGINT ends a driver with 0, SIGTERM its relay, and nothing stays parked", async () => {
  await using relay = await startRelay();
  await using driver = start(["pull", "1", "--container-port", "0"], at(relay.url));
  const published = await driver.line();
  const end = await driver.end("SIGINT");
  const overview = await read(relay.url, "list");
  await using second = start(["pull", "1"], at(relay.url));
  await second.line();
  const secondEnd = await second.end("SIGTERM");
  const relayEnd = await relay.end("SIGTERM");

  expect(published).toMatch(/^Published on port \d+ of the relay's loopback interface$/);
  expect(end).toEqual({ exitCode: 0, rest: ["Session is closed"], stderr: "" });
  expect(overview).toMatchObject({ sessions: [], orphanedSessions: 0, totalBindings: 0 });
  expect(secondEnd.exitCode).toBe(0);
  expect(relayEnd).toEqual({ exitCode: 0, rest: [], stderr: "" });
});

it("commands end with a code that says what was wrong, and name the way out without the token", async () => {
  await using relay = await startRelay();
  await using service = await startService();
  const { url } = relay;
  const { port } = new URL(url);
  const nothing = `http://127.0.0.1:${await freePort()}`;
  const wrong = { ...at(url), RUNNER_TUNNEL_TOKEN: "wr0ng-s3cret" };
  const results = await Promise.all([
    runner(["tunnel", "health", "--relay", url, "--token", token]),
    runner(["tunnel", "relay", "--port", port]),
    runner(["tunnel", "relay", "--port", "0", "--host", "203.0.113.1"]),
    runner(["tunnel", "relay", "--port", "0", "--tokn", token]),
    runner(["tunnel", "list"], wrong),
    runner(["tunnel", "expose", "3000"], wrong),
    runner(["tunnel", "pull", "3000", "--container-port", "81"], at(url)),
    runner(["tunnel", "sessions", "kill", "ts_none"], at(url)),
    runner(["tunnel", "metrics", "--json"], at(nothing)),
    runner(["tunnel", "list"], at(`http://127.0.0.1:${service.port}`)),
  ]);

  const briefly = results.map(({ exitCode, stderr }) => [exitCode, stderr.split("\n")[0]]);
  expect(briefly).toEqual([
    [0, ""],
    [1, `listen EADDRINUSE: address already in use 127.0.0.1:${port}. Choose another --port, or 0 for any`],
    [
      1,
      "listen EADDRNOTAVAIL: address not available 203.0.113.1. Choose a --host that this machine has, as 127.0.0.1, or 0.0.0.0 for all of its addresses",
    ],
    [2, "There is no option --tokn. Did you mean --token?"],
    [3, "The relay refuses this request (UNAUTHORIZED). Check --token, or RUNNER_TUNNEL_TOKEN."],
    [3, expect.stringMatching(/^The relay refused the connection with 401\. Check the token\./)],
    [3, expect.stringMatching(/^The relay refused the binding \(PRIVILEGED_PORT\)/)],
    [4, "unknown session"],
    [5, `{"error":{"code":"UNREACHABLE","message":"The relay at ${nothing} cannot be reached: ECONNREFUSED."}}`],
    [4, "The answer is no JSON object: this is no relay."],
  ]);
  expect(results.map(({ stdout, stderr }) => stdout + stderr).join("")).not.toMatch(/s3cret/);
});

it("a driver whose relay is not there yet says why, keeps trying, and is bound again after the relay died", async () => {
  const port = String(await freePort());
  await using driver = start(["pull", "1", "--json"], at(`http://127.0.0.1:${port}`));
  const [note] = (await once(createInterface({ input: driver.child.stderr }), "line")) as [string];
  const relay = [...relayArgs.with(2, port), "--token", token];
  await using first = start(relay);
  const bound = await driver.json();
  await first.end("SIGKILL");
  const lost = await driver.json();
  await using second = start(relay);
  await second.line();
  const again = [await driver.json(), await driver.json()];

  expect(JSON.parse(note)).toMatchObject({ event: "retry", message: `connect ECONNREFUSED 127.0.0.1:${port}` });
  expect(bound).toMatchObject({ event: "bound", publicUrl: null });
  expect(lost).toEqual({ event: "state", state: "reconnecting" });
  expect(again).toEqual([
    { event: "state", state: "connected" },
    { ...bound, sessionId: expect.not.stringMatching(`^${String(bound.sessionId)}$`) as string },
  ]);
});

it("a driver whose binding is taken over says so and ends with 1", async () => {
  await using relay = await startRelay();
  await using first = start(["expose", "1", "--name", "web", "--json"], at(relay.url));
  const bound = await first.json();
  const again = ["expose", "1", "--name", "web", "--container-port", String(bound.port), "--json"];
  const [refused, ofOther] = await Promise.all([
    runner(["tunnel", ...again], at(relay.url)),
    runner(["tunnel", ...again, "--takeover"], at(relay.url, "other")),
  ]);
  await using second = start([...again, "--takeover"], at(relay.url));
  const taken = await second.json();
  const { metrics } = await read(relay.url, "metrics");
  const end = await first.end();

  expect([refused.exitCode, ofOther.exitCode]).toEqual([1, 3]);
  expect(JSON.parse(refused.stderr)).toMatchObject({
    error: { code: "ALREADY_BOUND", message: expect.stringContaining("Add --takeover") as string },
  });
  expect(taken).toMatchObject({ event: "bound", port: bound.port });
  expect(metrics).toContain("hoody_tunnel_takeovers_total 1\n");
  expect(JSON.parse(end.rest[0] ?? "")).toMatchObject({ event: "revoked", bindId: bound.bindId });
  expect(end.exitCode).toBe(1);
});

it("a relay with a certificate is reached by drivers, operators and visitors over TLS", async () => {
  const { cert, key } = localhostCertificate;
  const files = createTempProject({ "cert.pem": cert, "key.pem": key });
  const [certFile, keyFile] = [join(files.folder, "cert.pem"), join(files.folder, "key.pem")];
  await using relay = await startRelay(
    ...["--tls-cert", certFile, "--tls-key", keyFile, "--public-url-pattern", "https://localhost/t/{name}/"],
  );
  await using service = await startService();
  const env = { ...at(relay.url), NODE_EXTRA_CA_CERTS: certFile };
  await using driver = start(["expose", service.port, "--name", "web", "--json"], env);
  const { publicUrl } = await driver.json();
  const health = await runner(["tunnel", "health"], env);
  const { port } = new URL(relay.url);
  const visit = get({ host: "localhost", port, path: "/t/web/c", ca: cert, agent: false });
  const [message] = (await once(visit, "response")) as [IncomingMessage];
  const body = await text(message);
  files.remove();

  expect(relay.url).toMatch(/^https:/);
  expect(publicUrl).toBe("https://localhost/t/web/");
  expect(health.exitCode).toBe(0);
  expect(body).toBe("served /c");
});

it("a driver in a terminal keeps a line with its place, state, streams, round trip and requests", async () => {
  await using relay = await startRelay();
  // Some shells do not hand their process over to a last command and end by the Ctrl-C themselves.
  const command = `exec ${process.execPath} ${cli} tunnel pull 1`;
  const env = { ...environment, ...at(relay.url), TERM: "xterm" };
  const terminal = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { env });
  let shown = "";
  const closed = once(terminal, "close");
  const drawn = new Promise<void>((resolve) => {
    terminal.stdout.on("data", (piece: Buffer) => {
      shown += piece.toString();
      if (/RTT [\d.]+ ms {2}0 requests/.test(shown)) resolve();
    });
  });
  await drawn;
  // Ctrl-C, as the terminal sends it.
  terminal.stdin.write("\x03");
  const [exitCode] = (await closed) as [number];

  expect(shown).toMatch(/port \d+ {2}connected {2}0 streams {2}RTT [\d.]+ ms {2}0 requests/);
  expect(exitCode).toBe(0);
});

it("requests that a relay served are listed, and followed until SIGINT, also while the relay starts again", async () => {
  const port = String(await freePort());
  const relay = [...relayArgs.with(2, port), "--token", token];
  const url = `http://127.0.0.1:${port}`;
  await using first = start(relay);
  await first.line();
  await using service = await startService();
  await using driver = start(["expose", service.port, "--name", "web", "--json"], at(url));
  const bound = await driver.json();
  const visit = (path: string) => fetch(`http://127.0.0.1:${String(bound.port)}${path}`).then((reply) => reply.text());
  await visit("/a?token=secret");
  await using follower = start(["requests", "list", "--follow", "--name", "web", "--json"], at(url));
  const before = await follower.json();
  const table = await ask(url, "requests", "list", "--status", "200");
  await first.end("SIGKILL");
  const [note] = (await once(createInterface({ input: follower.child.stderr }), "line")) as [string];
  await using second = start(relay);
  for (let event; event !== "bound";) ({ event } = await driver.json());
  await visit("/b");
  const after = await follower.json();
  const { exitCode } = await follower.end("SIGINT");
  await second.end("SIGINT");

  expect(before).toMatchObject({ requests: [{ path: "/a", method: "GET", status: 200, bytesOut: 22 }] });
  const [title = "", row = "", ...rest] = table.stdout.split("\n").map((line) => line.split(/ +/));
  expect(title).toEqual(["TIME", "STATUS", "METHOD", "MS", "IN", "OUT", "PEER", "URL"]);
  expect(row).toEqual([
    expect.stringMatching(/Z$/),
    ...["200", "GET", expect.any(String), "0", "22", "127.0.0.1", "127.0.0.1/a"],
  ]);
  expect(rest).toEqual([[""]]);
  expect(JSON.parse(note)).toMatchObject({ event: "retry" });
  expect(after).toMatchObject({ requests: [{ path: "/b" }] });
  expect(exitCode).toBe(0);
});

it("a relay without a token says whom it serves", async () => {
  await using relay = start(["relay", "--port", "0"]);
  const first = await relay.line();
  const { exitCode, stderr } = await relay.end("SIGINT");

  expect(first).toMatch(/^Relay listens at http:\/\/127\.0\.0\.1:\d+$/);
  expect(stderr).toMatch(/^warn: The relay has no authentication and serves programs of this machine only\./);
  expect(exitCode).toBe(0);
});

it("a reader that has seen enough is no failure of a command", async () => {
  const child = spawn(process.execPath, [cli, "tunnel", "--help"]);
  child.stdout.destroy();
  const closed = once(child, "close");

  expect([await text(child.stderr), await closed]).toEqual(["", [0, null]]);
});

it.each(["tunnel", "migrate"])("runner %s --help loads neither ws nor undici", async (group) => {
  const files = createTempProject({
    "probe.cjs": `process.on("exit", () => console.error(Object.keys(require.cache).join("\\n")))`,
  });
  const child = spawn(process.execPath, ["--require", join(files.folder, "probe.cjs"), cli, group, "--help"]);
  const loaded = await text(child.stderr);
  files.remove();

  expect(loaded).toContain("probe.cjs");
  expect(loaded).not.toMatch(/node_modules\/(ws|undici)\//);
});
