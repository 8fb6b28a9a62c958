import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { tunnelExpose } from "../../node";
import { sha256, startRelay, startService } from "../support/relay/relay";
import { soon } from "../support/soon";
import { startExpressApp } from "./support/express";
import { findParty } from "./support/parties";
import { curl, runParty, tempFolder } from "./support/programs";

/** An Express application behind a driver. */
async function behindARelay() {
  const relay = await startRelay();
  const app = await startExpressApp();
  const handle = await tunnelExpose({ ...relay.driver, port: app.port });
  return {
    url: `http://127.0.0.1:${handle.containerPort}`,
    relay,
    app,
    handle,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await app[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

describe("an Express application behind a driver, asked by curl", () => {
  it("curl exchanges JSON with an Express application, and the application knows who asked", async () => {
    await using site = await behindARelay();
    const { host } = new URL(site.url);

    expect(JSON.parse(await curl(`${site.url}/whoami`, "-H", "X-Forwarded-For: 6.6.6.6"))).toEqual({
      ip: "127.0.0.1",
      host,
      proto: "http",
    });
    expect(
      JSON.parse(await curl(`${site.url}/json`, "-H", "Content-Type: application/json", "-d", '{"a":[1,"é"]}')),
    ).toEqual({ received: { a: [1, "é"] } });
    expect(JSON.parse(await curl("-L", `${site.url}/old`))).toEqual({ page: true });
  });

  it("curl uploads files of 30 MB to an Express application, raw and in a form, byte for byte", async () => {
    await using site = await behindARelay();
    await using folder = await tempFolder();
    const bytes = randomBytes(30_000_000);
    const file = join(folder.path, "upload.bin");
    await writeFile(file, bytes);

    const raw = await curl("-T", file, `${site.url}/raw`);
    const asked = await curl("-T", file, "-H", "Expect: 100-continue", `${site.url}/raw`);
    const chunked = await curl("-T", file, "-H", "Transfer-Encoding: chunked", `${site.url}/raw`);
    const form = await curl("-F", `first=@${file}`, "-F", `second=@${file}`, `${site.url}/form`);

    const whole = { sha256: sha256(bytes) };
    expect([raw, asked, chunked].map((reply): unknown => JSON.parse(reply))).toEqual([whole, whole, whole]);
    expect(JSON.parse(form)).toEqual({ first: sha256(bytes), second: sha256(bytes) });
  });

  it("curl downloads 50 MB from an Express application, at once and at a limited rate, byte for byte", async () => {
    await using site = await behindARelay();

    const { output } = await runParty("curl", ["-sS", `${site.url}/bytes/50000000`]);
    const limited = await runParty("curl", ["-sS", "--limit-rate", "4M", `${site.url}/bytes/6000000`]);

    expect(sha256(output)).toBe(sha256(Buffer.alloc(50_000_000, "bytes")));
    expect(sha256(limited.output)).toBe(sha256(Buffer.alloc(6_000_000, "bytes")));
  });

  it("curl asks with HEAD, a known ETag, HTTP/1.0, and twice over one connection", async () => {
    await using site = await behindARelay();
    const url = `${site.url}/bytes/5`;
    const etag = /^etag: (.*)\r$/im.exec(await curl("-I", url))?.[1] ?? "";
    const status = ["-o", "/dev/null", "-w", "%{http_code} %{size_download}"];

    expect(await curl(...status, "-H", `If-None-Match: ${etag}`, url)).toBe("304 0");
    expect(await curl(...status, "-0", url)).toBe("200 5");
    expect(await curl(...status, "-I", url)).toMatch(/^200 /);
    expect(await curl("-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", url, url)).toBe("1 0 ");
  });

  it("curl reads the events of an Express application as they come, and leaves it when it ends", async () => {
    await using site = await behindARelay();
    const child = spawn(findParty("curl"), ["-sSN", `${site.url}/events`]);
    const ended = once(child, "close");
    const next = async (): Promise<string> => String((await soon(once(child.stdout, "data")))[0]);

    expect(await next()).toBe("event: hello\ndata: 0\n\n");
    const news = next();
    expect(JSON.parse(await curl("-X", "POST", `${site.url}/events`))).toEqual({ visitors: 1 });
    expect(await news).toBe("data: news\n\n");
    child.kill();
    await ended;
    while (site.handle.session.activeStreams > 0) await new Promise(setImmediate);
    expect(JSON.parse(await curl("-X", "POST", `${site.url}/events`))).toEqual({ visitors: 0 });
  });
});

it("a webhook receiver behind a driver takes each delivery once, with the bytes that its signature is of", async () => {
  const received: unknown[] = [];
  await using relay = await startRelay();
  await using service = await startService((req, res) => {
    void text(req).then((body) => {
      received.push([req.headers["x-signature"], body]);
      res.writeHead(204).end();
    });
  });
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const deliver = (id: number): Promise<string> =>
    curl(
      "-H",
      `X-Signature: sig-${id}`,
      "--data-binary",
      `{ "id":${id} }\n`,
      `http://127.0.0.1:${handle.containerPort}/`,
    );

  await Promise.all(Array.from({ length: 20 }, (_, id) => deliver(id)));

  expect(received.sort()).toEqual(Array.from({ length: 20 }, (_, id) => [`sig-${id}`, `{ "id":${id} }\n`]).sort());
});
