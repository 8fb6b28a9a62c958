import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { localhostCertificate } from "../../../__tests__/support/certificate";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startExposure, token, type TestExposure } from "../../../__tests__/support/exposure";
import { runRunner as runner } from "../../../__tests__/support/runnerCommand";
import { nodeExposure, r, run } from "../../index";

let charges = 0;
const charge = r
  .task("shop.tasks.charge")
  .run(async () => (charges += 1))
  .build();
const charged = r.event("shop.events.charged").build();
const served = [charge, charged];

const env = { RUNNER_TOKEN: token };
const origin = "https://app.example.com";
const urlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;

beforeAll(ensureBuilt, buildTimeoutMs);

interface Line {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  readonly fix?: string;
}

async function examine(url: string, ...args: string[]) {
  const { stdout, exitCode } = await runner(["doctor", url, "--json", ...args], { env });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  return { exitCode, lines, checks: lines.map(({ check }) => check), last: lines.at(-1) as Line };
}

/** Whatever stands where an exposure should be. */
async function startOther(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = (res: ServerResponse, status: number, body: unknown): void =>
  void res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const refuse = (res: ServerResponse, status: number, code: string, message: string): void =>
  json(res, status, { ok: false, error: { code, message } });
const discovered = (more: object = {}, tasks: readonly string[] = ["a"]) => ({
  ok: true,
  result: { allowList: { enabled: true, tasks, events: [] }, ...more },
});

/** An exposure to those who ask by GET; others are met by what stands before it. */
const behindProxy =
  (others: RequestListener): RequestListener =>
  (req, res) => {
    if (req.method === "GET") return json(res, 200, discovered());
    req.resume().once("end", () => others(req, res));
  };

/** POST is passed on while the body is small, and OPTIONS never gets here. */
const upTo =
  (bytes: number, tooLarge: (res: ServerResponse) => void): RequestListener =>
  (req, res) =>
    Number(req.headers["content-length"]) > bytes ? tooLarge(res) : json(res, 200, discovered());

describe("runner doctor", () => {
  it("walks from the name to the limits of a server that is as it should be, and runs no task", async () => {
    await using exposure = await startExposure(served, { contract: "schemas" });
    const before = charges;
    const { exitCode, checks, lines } = await examine(
      urlOf(exposure),
      ...["--id", charge.id, "--origin", origin, "--body", "100000"],
    );

    const version = await runner(["--version"]);

    expect(exitCode).toBe(0);
    expect(checks).toEqual([
      ...["name", "connection", "base path", "credentials", "allow-list", "method", "cors", "versions", "limits"],
      "contract",
    ]);
    expect(lines.find(({ check }) => check === "versions")?.message).toContain(`of version ${version.stdout.trim()};`);
    expect(lines.at(-1)?.message).toMatch(/^Its hash is [\w+/=-]{8,}\.$/);
    expect(charges).toBe(before);
  });

  it("says that nothing listens, that the base path is another one, and that the token is wrong or missing", async () => {
    await using exposure = await startExposure(served);
    const url = urlOf(exposure);
    const [silent, elsewhere, wrong, missing] = await Promise.all([
      examine("http://127.0.0.1:1"),
      examine(url.replace("__runner", "api")),
      examine(url, "--token", "wr0ng"),
      runner(["doctor", url]),
    ]);

    expect(silent.last).toMatchObject({
      check: "connection",
      ok: false,
      message: "Nothing listens on port 1 of 127.0.0.1.",
    });
    expect(elsewhere.last).toMatchObject({ check: "base path", fix: `use ${url} as <url>.` });
    expect(wrong.last).toMatchObject({ check: "credentials", message: "The token is not accepted: UNAUTHORIZED." });
    expect(missing.stdout).toContain("WRONG  credentials   No token was given: UNAUTHORIZED.");
    expect([silent, elsewhere, wrong].map(({ exitCode }) => exitCode)).toEqual([1, 1, 1]);
  });

  it("says which id may not be called, which are like it, and whose pages may not call", async () => {
    await using exposure = await startExposure(served, { cors: { origin } });
    const [unlisted, foreign] = await Promise.all([
      examine(urlOf(exposure), "--id", "app.charge"),
      examine(urlOf(exposure), "--origin", "https://other.example.com"),
    ]);

    expect(unlisted.last).toMatchObject({
      check: "allow-list",
      message: expect.stringContaining("Similar ones: shop.tasks.charge") as unknown,
    });
    expect(foreign.last).toMatchObject({ check: "cors", fix: 'add "https://other.example.com" to http.cors.origin.' });
  });

  it("recognises what is no exposure: a page, a redirect, a proxy without its server, TLS and its absence", async () => {
    await using page = await startOther((_req, res) => res.end("<html>"));
    await using redirect = await startOther((_req, res) => res.writeHead(308, { location: "https://x.test/" }).end());
    await using proxy = await startOther((_req, res) => res.writeHead(502).end("Bad Gateway"));
    const tls = createTlsServer(localhostCertificate, (_req, res) => res.end()).listen(0, "127.0.0.1");
    await once(tls, "listening");
    const { port } = tls.address() as AddressInfo;
    const [seen, moved, gateway, plain, unknown] = await Promise.all([
      examine(page.url),
      examine(redirect.url),
      examine(proxy.url),
      examine(page.url.replace("http:", "https:")),
      examine(`https://127.0.0.1:${port}`),
    ]);
    tls.closeAllConnections();
    await new Promise((resolve) => tls.close(resolve));

    expect(seen.last).toMatchObject({ check: "base path", fix: expect.stringContaining("http.basePath") as unknown });
    expect(moved.last.message).toContain("is redirected to https://x.test/");
    expect(gateway.last.fix).toContain("check its upstream");
    expect(plain.last).toMatchObject({ check: "tls", fix: "it does not speak TLS: use http:// in <url>." });
    expect(unknown.last).toMatchObject({
      check: "tls",
      fix: expect.stringContaining("NODE_EXTRA_CA_CERTS") as unknown,
    });
  });

  it("says that a name cannot be resolved", async () => {
    // Longer than a label of a name may be (RFC 1035, 2.3.4): no resolver is asked.
    const host = `${"nope".repeat(16)}.invalid`;
    const { exitCode, checks, last } = await examine(`http://${host}/__runner`);

    expect([exitCode, checks]).toEqual([1, ["name"]]);
    expect(last).toMatchObject({ ok: false, fix: "check the spelling, and the DNS." });
    expect(last.message).toContain(`${host} has no address`);
  });

  it("says that http is spoken where TLS is expected, and that a server never replies", async () => {
    const tls = createTlsServer(localhostCertificate, (_req, res) => res.end()).listen(0, "127.0.0.1");
    await once(tls, "listening");
    const { port } = tls.address() as AddressInfo;
    await using mute = await startOther(() => {});
    const [plain, silent] = await Promise.all([
      examine(`http://127.0.0.1:${port}`),
      examine(mute.url, "--timeout", "1"),
    ]);
    tls.closeAllConnections();
    await new Promise((resolve) => tls.close(resolve));

    expect(plain.last).toMatchObject({ check: "http", fix: "it may speak TLS: use https:// in <url>." });
    expect(silent.last).toMatchObject({ check: "http", fix: expect.stringContaining("log of the server") as unknown });
    expect([plain.exitCode, silent.exitCode]).toEqual([1, 1]);
  });

  it.each<[string, RequestListener, string[], Partial<Line>]>([
    [
      "a proxy that wants credentials of its own",
      (_req, res) => res.writeHead(401, { "www-authenticate": "Basic" }).end(),
      [],
      { check: "base path", fix: "a proxy before the server refuses: give it what it asks for by --header." },
    ],
    [
      "a server without credentials in production",
      (_req, res) => refuse(res, 500, "AUTH_NOT_CONFIGURED", "Authentication is not configured"),
      [],
      {
        check: "credentials",
        message: "Authentication is not configured",
        fix: "set http.auth.token or a validator there; without them production serves none.",
      },
    ],
    [
      "a caller without rights",
      (_req, res) => refuse(res, 403, "FORBIDDEN", "Not for you"),
      [],
      { check: "credentials", fix: "the caller is known and may do nothing; look at its rights." },
    ],
    [
      "too many refused calls",
      (_req, res) => refuse(res, 429, "RATE_LIMITED", "Slow down"),
      [],
      { check: "credentials", message: "Too many refused calls: Slow down.", fix: "wait, then use a right token." },
    ],
    [
      "a server that closes",
      (_req, res) => refuse(res, 503, "SHUTTING_DOWN", "Closing"),
      [],
      { check: "credentials", fix: "the server is closing or full, or a validator fails there." },
    ],
    [
      "a server that fails",
      (_req, res) => refuse(res, 500, "INTERNAL_ERROR", "Broken"),
      [],
      { check: "discovery", message: "INTERNAL_ERROR: Broken", fix: "look at the log of the server." },
    ],
    [
      "an empty allow-list",
      (_req, res) => json(res, 200, discovered({}, [])),
      [],
      { check: "allow-list", message: "It is empty.", fix: "name tasks in a server tunnel, or in the token's list." },
    ],
    [
      "a proxy that lets nothing be sent",
      behindProxy((_req, res) => res.writeHead(405).end()),
      [],
      {
        check: "method",
        message: "POST gives 405, where GET gives 200.",
        fix: "let proxies on the way pass POST, and a body, to this path.",
      },
    ],
    [
      "a proxy that cuts what is sent",
      behindProxy((req) => req.socket.destroy()),
      [],
      { check: "method", message: expect.stringContaining("There is no reply to POST") as never },
    ],
    [
      "a proxy that refuses large bodies",
      behindProxy(upTo(1000, (res) => res.writeHead(413, { "content-type": "text/html" }).end("<p>"))),
      ["--body", "5000"],
      {
        check: "limits",
        message: "A body of 5000 bytes gives 413.",
        fix: "raise the limit of the proxy (nginx: client_max_body_size).",
      },
    ],
    [
      "a gateway that refuses large bodies by JSON of its own",
      behindProxy(upTo(1000, (res) => json(res, 413, { message: "Request Too Long" }))),
      ["--body", "5000"],
      { check: "limits", fix: "raise the limit of the proxy (nginx: client_max_body_size)." },
    ],
    [
      "a proxy that adds headers of CORS and does not pass OPTIONS on",
      behindProxy((req, res) => {
        if (req.method !== "OPTIONS") return json(res, 200, discovered());
        const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
        res.writeHead(405, headers).end();
      }),
      ["--origin", origin],
      {
        check: "cors",
        message: "OPTIONS gives 405, and browsers send nothing then.",
        fix: "let proxies on the way pass OPTIONS to this path, without credentials.",
      },
    ],
    [
      "CORS that is not configured",
      behindProxy((req, res) => (req.method === "OPTIONS" ? res.writeHead(204).end() : json(res, 200, discovered()))),
      ["--origin", origin],
      {
        check: "cors",
        message: `Pages of ${origin} may not call: access-control-allow-origin is missing.`,
        fix: `add "${origin}" to http.cors.origin.`,
      },
    ],
    [
      "a contract that is none",
      (_req, res) => json(res, 200, discovered({ contract: { tasks: {} } })),
      [],
      { check: "contract", message: 'The contract of the server cannot be read: "contract" has no "hash".' },
    ],
  ])("stops at %s, and says the fix", async (_name, listener, args, expected) => {
    await using other = await startOther(listener);
    const { exitCode, lines, last } = await examine(other.url, ...args);

    expect(last).toMatchObject({ ok: false, ...expected });
    expect(last.fix).toMatch(/\.$/);
    expect(lines.filter(({ ok }) => !ok)).toHaveLength(1);
    expect(exitCode).toBe(1);
  });

  it("tells the limit of an exposure from that of a proxy, and runs no task to find it", async () => {
    await using exposure = await startExposure(served, { limits: { json: { maxSize: 1000 } } });
    const before = charges;
    const [over, under] = await Promise.all([
      examine(urlOf(exposure), "--body", "5000"),
      examine(urlOf(exposure), "--body", "1000", "--id", charge.id),
    ]);

    expect(over.last).toMatchObject({
      check: "limits",
      ok: false,
      message: "A body of 5000 bytes gives 413.",
      fix: "raise http.limits.json.maxSize of the exposure.",
    });
    expect(under.lines).toContainEqual({ check: "limits", ok: true, message: "A body of 1000 bytes arrives." });
    expect([over.exitCode, under.exitCode, charges]).toEqual([1, 0, before]);
  });

  it("asks for each header that a page would send, that of the token and those of --header among them", async () => {
    const cors = { origin, allowedHeaders: ["content-type", "x-runner-token"] };
    await using exposure = await startExposure(served, { cors });
    const [allowed, tenant] = await Promise.all([
      examine(urlOf(exposure), "--origin", origin),
      examine(urlOf(exposure), "--origin", origin, "--header", "x-tenant: acme"),
    ]);

    expect(allowed.lines).toContainEqual({ check: "cors", ok: true, message: `Pages of ${origin} may call.` });
    expect(tenant.last).toMatchObject({
      check: "cors",
      message: "Pages may not send x-tenant.",
      fix: "add them to http.cors.allowedHeaders.",
    });
  });

  it("says that discovery is off, and that a server has no tunnel that says what may be called", async () => {
    await using hidden = await startExposure(served, { disableDiscovery: true });
    const nothing = r
      .resource("shop")
      .register([nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } })]);
    const app = await run(nothing.build(), { shutdownHooks: false, errorBoundary: false });
    const { port } = app.getResourceValue(nodeExposure).server?.address() as AddressInfo;
    const [off, closed] = await Promise.all([examine(urlOf(hidden)), examine(`http://127.0.0.1:${port}/__runner`)]);
    await app.dispose();

    expect(off.last).toMatchObject({
      check: "discovery",
      fix: expect.stringContaining("http.disableDiscovery") as unknown,
    });
    expect(closed.last).toMatchObject({
      check: "allow-list",
      message: "No server tunnel says what may be called.",
      fix: "register r.tunnel.server(...).tasks([...]) in the root of the server.",
    });
  });
});
