import { createHmac } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { globals, hashTunnelPassword } from "../../../node";
import { ask, publish } from "../../support/publishedService";
import { codeOf, echo, login } from "../../support/relay/gates";
import { soon } from "../../support/soon";
import { stopTime } from "../../support/stopTime";

const { password } = globals.tunnelGates;
describe("a password gate", () => {
  it("a password gate asks on a page, remembers the visitor in a cookie, and hides that cookie from the application", async () => {
    const { server, seen } = echo();
    await using site = await publish(server, { config: { gates: [[password.with({ password: "open <sesame>" })]] } });

    const page = await ask(site.port, { path: "/a?b=1&c=%2F", headers: { accept: "text/html" } });
    expect(codeOf(page)).toEqual([401, "GATE_AUTH"]);
    expect(page.body).toContain('<form method="post" action="?b=1&amp;c=%2F&amp;x-runner-gate=password">');
    expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(seen).toEqual([]);

    const wrong = await ask(site.port, login("nope"));
    expect(codeOf(wrong)).toEqual([401, "GATE_AUTH"]);
    expect(wrong.body).toContain("That is not the password.");

    const right = await ask(site.port, login("open <sesame>", "/a?b=1&c=%2F&x-runner-gate=password"));
    expect([right.status, right.headers.location]).toEqual([303, "/a?b=1&c=%2F"]);
    const [setCookie = ""] = right.headers["set-cookie"] ?? [];
    expect(setCookie).toMatch(/^runner-gate-\w+=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax$/);
    const [cookie = ""] = setCookie.split(";");

    const inside = await ask(site.port, { path: "/a?b=1&c=%2F", headers: { cookie: `theme=dark; ${cookie}; x=1` } });
    expect([inside.status, inside.body]).toEqual([200, "inside"]);
    expect(seen.map(({ url, headers }) => [url, headers.cookie])).toEqual([["/a?b=1&c=%2F", "theme=dark; x=1"]]);
    await ask(site.port, { headers: { cookie } });
    expect(seen[1]?.headers.cookie).toBeUndefined();
  });

  it("a cookie of a password gate holds for the host it was given to, and for no changed signature or expiry", async () => {
    const { server, seen } = echo();
    await using site = await publish(server, {
      name: "web",
      config: {
        gates: [[password.with({ password: "p" })]],
        aliases: { "a.localhost": { name: "web" }, "b.localhost": { name: "web" } },
      },
    });
    const { port } = site.relay;
    const { headers } = await ask(port, { ...login("p"), headers: { ...login("p").headers, host: "a.localhost" } });
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const at = async (host: string, presented: string) =>
      (await ask(port, { headers: { host, cookie: presented } })).status;

    expect(await at("a.localhost", cookie)).toBe(200);
    expect(await at("b.localhost", cookie)).toBe(401);
    expect(await at("a.localhost", cookie.replace(/=(\d)/, "=1$1"))).toBe(401);
    expect(await at("a.localhost", `${cookie.slice(0, -2)}AA`)).toBe(401);
    expect(await at("a.localhost", cookie.replace(/\..*/, `.${createHmac("sha256", "").digest("base64url")}`))).toBe(
      401,
    );
    expect(seen).toHaveLength(1);
  });

  it("a password gate marks its cookie Secure behind https, and sends visitors nowhere else", async () => {
    const { server } = echo();
    await using site = await publish(server, {
      config: {
        gates: [[password.with({ password: await hashTunnelPassword("p"), cookieTtlMs: 60_000, realm: "Stage" })]],
        trustedProxies: ["127.0.0.1"],
      },
    });
    const sent = login("p", "//evil.example/?x-runner-gate=password");
    const { headers, status } = await ask(site.port, {
      ...sent,
      headers: { ...sent.headers, "x-forwarded-proto": "https" },
    });

    expect([status, headers.location]).toEqual([303, "/evil.example/"]);
    expect(headers["set-cookie"]?.[0]).toMatch(/; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/);
    const page = await ask(site.port, { headers: { accept: "text/html" } });
    expect([page.headers["www-authenticate"], page.body.includes("<h1>Stage</h1>")]).toEqual([
      'Form realm="Stage"',
      true,
    ]);
  });

  it("a password gate lets an address try ten times within a minute", async () => {
    const { server } = echo();
    await using site = await publish(server, { config: { gates: [[password.with({ password: "p" })]] } });
    using time = stopTime();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt++) statuses.push((await ask(site.port, login("wrong"))).status);
    time.advance(60_000);

    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    expect((await ask(site.port, login("wrong"))).status).toBe(401);
  });

  it("a password gate counts the addresses of one IPv6 network as one", async () => {
    const { server } = echo();
    await using site = await publish(server, {
      config: { gates: [[password.with({ password: "p" })]], trustedProxies: ["127.0.0.1"] },
    });
    const attempt = async (peer: string) => {
      const sent = login("wrong");
      return (await ask(site.port, { ...sent, headers: { ...sent.headers, "x-forwarded-for": peer } })).status;
    };
    using time = stopTime();
    const statuses: number[] = [];
    for (let host = 1; host <= 11; host++) statuses.push(await attempt(`2001:db8::${host}`));
    const other = await attempt("2001:db8:0:1::1");
    time.advance(60_000);

    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    expect([other, await attempt("2001:db8::11")]).toEqual([401, 401]);
  });

  it("forms that arrive slowly keep no one else from logging in through a password gate", async () => {
    const { server } = echo();
    await using site = await publish(server, { config: { gates: [[password.with({ password: "p" })]] } });
    const slow = Array.from({ length: 9 }, () => {
      const { headers, method, path } = login("p");
      const sent = request({
        port: site.port,
        path,
        method,
        headers: { ...headers, "content-length": 100, expect: "100-continue" },
      });
      sent.on("error", () => {});
      sent.flushHeaders();
      return sent;
    });
    // A form is asked for once its gate reads it.
    await soon(Promise.all(slow.slice(0, 8).map((sent) => once(sent, "continue"))));

    expect((await ask(site.port, login("p"))).status).toBe(303);
    for (const sent of slow) sent.destroy();
  });

  it("a password gate leads back to the path prefix that the tunnel is under, and its cookie holds there", async () => {
    const { server, seen } = echo();
    await using site = await publish(server, {
      name: "web",
      config: { gates: [[password.with({ password: "p" })]], publicUrlPattern: "http://localhost/t/{name}/" },
    });
    const sent = login("p", "/t/web/x?x-runner-gate=password");
    const { headers } = await ask(site.relay.port, { ...sent, headers: { ...sent.headers, host: "localhost" } });
    const [setCookie = ""] = headers["set-cookie"] ?? [];

    expect(headers.location).toBe("/t/web/x");
    expect(setCookie).toContain("; Path=/t/web/;");
    const [cookie = ""] = setCookie.split(";");
    expect((await ask(site.relay.port, { path: "/t/web/x", headers: { host: "localhost", cookie } })).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual(["/x"]);
  });
});
