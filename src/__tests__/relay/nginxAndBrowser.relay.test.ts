import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tunnelExpose } from "../../node";
import { openBrowser, type Browser } from "../support/browser";
import { relayToken, sha256, startRelay } from "../support/relay/relay";
import { startExpressApp } from "./support/express";
import { startNginx } from "./support/nginx";
import { freePort } from "../support/freePort";
import { curl, tempFolder } from "./support/programs";

/** An Express application behind a driver, which reaches its relay through nginx, as its visitors do. */
async function behindNginx() {
  const port = await freePort();
  const relay = await startRelay({
    publicUrlPattern: `http://{name}.tun.localhost:${port}`,
    trustedProxies: ["127.0.0.1"],
  });
  const nginx = await startNginx(relay.relay.port, port);
  const app = await startExpressApp();
  const handle = await tunnelExpose({
    relay: `http://127.0.0.1:${port}`,
    token: relayToken,
    port: app.port,
    name: "web",
  });
  return {
    relay,
    handle,
    url: handle.publicUrl ?? "",
    async [Symbol.asyncDispose]() {
      await handle.close();
      await app[Symbol.asyncDispose]();
      await nginx[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

describe("nginx in front of a relay", () => {
  it("nginx leads to the binding that a host name is of, and the application knows its visitor", async () => {
    await using site = await behindNginx();

    expect(site.url).toMatch(/^http:\/\/web\.tun\.localhost:\d+$/);
    expect(JSON.parse(await curl(`${site.url}/whoami`, "-H", "X-Forwarded-For: 203.0.113.7"))).toEqual({
      ip: "203.0.113.7, 127.0.0.1, 127.0.0.1",
      host: new URL(site.url).host,
      proto: "https",
    });
    const other = site.url.replace("web.", "none.");
    expect(await curl("-o", "/dev/null", "-w", "%{http_code} %header{x-hoody-tunnel-error}", other)).toBe(
      "404 TUNNEL_NOT_FOUND",
    );
  });

  it("nginx carries uploads and downloads of a service behind a driver, byte for byte", async () => {
    await using site = await behindNginx();
    await using folder = await tempFolder();
    const bytes = randomBytes(20_000_000);
    const file = join(folder.path, "upload.bin");
    await writeFile(file, bytes);

    expect(JSON.parse(await curl("-T", file, `${site.url}/raw`))).toEqual({ sha256: sha256(bytes) });
    await curl("-o", file, `${site.url}/bytes/20000000`);
    expect(await curl("-o", "/dev/null", "-w", "%{size_download}", `${site.url}/bytes/20000000`)).toBe("20000000");
  });

  it("nginx carries the connection of a driver, which resumes its session after it was cut", async () => {
    await using site = await behindNginx();
    const resumed = new Promise((resolve) => site.handle.session.once("resumed", resolve));
    site.relay.relay.drop(site.handle.session.sessionId ?? "");

    expect(await resumed).toMatchObject({ resumed: true });
    expect(JSON.parse(await curl(`${site.url}/json-page`))).toEqual({ page: true });
  });
});

describe("a browser that visits a service behind a driver", () => {
  let browser: Browser;
  beforeAll(async () => (browser = await openBrowser()));
  afterAll(() => browser[Symbol.asyncDispose]());

  it("a browser opens a WebSocket through nginx and a relay, and sends texts and bytes both ways", async () => {
    await using site = await behindNginx();
    await browser.page.goto(`${site.url}/json-page`);

    const echoed = await browser.page.evaluate(async () => {
      const socket = new WebSocket(`ws://${location.host}/echo`);
      socket.binaryType = "arraybuffer";
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error("The WebSocket failed."));
      });
      const ask = (data: string | Uint8Array<ArrayBuffer>): Promise<string | ArrayBuffer> =>
        new Promise((resolve) => {
          socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => resolve(event.data);
          socket.send(data);
        });
      const text = await ask("héllo");
      const bytes = (await ask(new Uint8Array(1_000_000).fill(7))) as ArrayBuffer;
      const closed = new Promise<CloseEvent>((resolve) => (socket.onclose = resolve));
      socket.close(4001, "bye");
      const { code, wasClean } = await closed;
      return {
        text,
        length: bytes.byteLength,
        isSame: new Uint8Array(bytes).every((byte) => byte === 7),
        code,
        wasClean,
      };
    });

    expect(echoed).toEqual({ text: "héllo", length: 1_000_000, isSame: true, code: 4001, wasClean: true });
  });

  it("a browser's WebSocket is closed when the driver goes, and opens again when it is back", async () => {
    await using site = await behindNginx();
    await browser.page.goto(`${site.url}/json-page`);

    await browser.page.evaluate(() => {
      const state = { opened: 0, closed: 0 };
      Object.assign(globalThis, { state });
      const open = (): void => {
        const socket = new WebSocket(`ws://${location.host}/echo`);
        socket.onopen = () => void (state.opened += 1);
        socket.onclose = () => {
          state.closed += 1;
          setTimeout(open, 20);
        };
      };
      open();
    });
    const opened = (count: number) =>
      browser.page.waitForFunction(
        (least) => (globalThis as unknown as { state: { opened: number } }).state.opened >= least,
        count,
      );
    await opened(1);
    site.relay.relay.drop(site.handle.session.sessionId ?? "");
    await opened(2);

    expect(site.handle.session.state).toBe("connected");
  });

  it("a browser reads an event stream through nginx and a relay as its events come", async () => {
    await using site = await behindNginx();
    await browser.page.goto(`${site.url}/json-page`);

    const events = await browser.page.evaluate(async () => {
      const source = new EventSource("/events");
      const next = (type: string): Promise<string> =>
        new Promise((resolve) =>
          source.addEventListener(type, (event) => resolve((event as MessageEvent<string>).data), { once: true }),
        );
      const hello = await next("hello");
      const news = next("message");
      const { visitors } = (await (await fetch("/events", { method: "POST" })).json()) as { visitors: number };
      const received = [hello, visitors, await news];
      source.close();
      return received;
    });

    expect(events).toEqual(["0", 1, "news"]);
  });
});
