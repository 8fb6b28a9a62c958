import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import express from "express";
import { tunnelExpose } from "../../node";
import { openBrowser } from "../support/browser";
import { sha256, startRelay, startService } from "../support/relay/relay";
import { startGitServer } from "./support/gitServer";
import { findPackage } from "./support/parties";
import { freePort } from "../support/freePort";
import { curl, runParty, startServerProgram, tempFolder } from "./support/programs";

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "init.defaultBranch=main"];
  const { code, output, errors } = await runParty("git", [...identity, ...args], { cwd: folder });
  if (code !== 0) throw new Error(`git ${args.join(" ")} ended with ${code}: ${errors}`);
  return String(output).trim();
}

it("a file server behind a driver answers ranges, and a download that was cut is resumed by curl", async () => {
  await using folder = await tempFolder();
  const bytes = randomBytes(20_000_000);
  await writeFile(join(folder.path, "image.bin"), bytes);
  await using relay = await startRelay();
  await using service = await startService(express().use(express.static(folder.path)));
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const url = `http://127.0.0.1:${handle.containerPort}/image.bin`;
  const copy = join(folder.path, "copy.bin");

  const middle = await runParty("curl", ["-sS", "-r", "1000000-1999999", url]);
  const first = runParty("curl", ["-sS", "--limit-rate", "4M", "-o", copy, url]);
  const size = async (): Promise<number> =>
    stat(copy).then(
      (facts) => facts.size,
      () => 0,
    );
  while ((await size()) < 1_000_000) await new Promise(setImmediate);
  const resumed = once(handle.session, "resumed");
  relay.relay.drop(handle.session.sessionId ?? "");
  const { code } = await first;
  await resumed;
  const cutAt = await size();
  await curl("-C", "-", "-o", copy, url);

  expect(sha256(middle.output)).toBe(sha256(bytes.subarray(1_000_000, 2_000_000)));
  expect([18, 56]).toContain(code);
  expect(cutAt).toBeLessThan(bytes.length);
  expect(sha256(await readFile(copy))).toBe(sha256(bytes));
});

it("a repository behind a driver is cloned over HTTP, and pushed to", async () => {
  await using folder = await tempFolder();
  await git(folder.path, "init", "--bare", "shop.git");
  await git(join(folder.path, "shop.git"), "config", "http.receivepack", "true");
  await git(folder.path, "clone", "shop.git", "work");
  const work = join(folder.path, "work");
  await writeFile(join(work, "large.bin"), randomBytes(5_000_000));
  await git(work, "add", ".");
  await git(work, "commit", "-m", "first");
  await git(work, "push", "origin", "HEAD");
  await using relay = await startRelay();
  await using service = await startGitServer(folder.path);
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const url = `http://127.0.0.1:${handle.containerPort}/shop.git`;

  await git(folder.path, "clone", url, "copy");
  const copy = join(folder.path, "copy");
  await writeFile(join(copy, "more.bin"), randomBytes(3_000_000));
  await git(copy, "add", ".");
  await git(copy, "commit", "-m", "second");
  await git(copy, "push", "origin", "HEAD");
  await git(work, "pull", "origin", "main");

  expect(await git(work, "log", "--format=%s")).toBe("second\nfirst");
  expect(sha256(await readFile(join(work, "more.bin")))).toBe(sha256(await readFile(join(copy, "more.bin"))));
});

it("a development server behind a driver reloads its modules in a browser while they are edited", async () => {
  await using folder = await tempFolder();
  const script = (text: string): string =>
    `document.body.dataset.text = ${JSON.stringify(text)};\nimport.meta.hot.accept();\n`;
  await writeFile(
    join(folder.path, "index.html"),
    '<!doctype html><body><script type="module" src="/main.js"></script>',
  );
  await writeFile(join(folder.path, "main.js"), script("one"));
  const port = await freePort();
  const command = [
    join(findPackage("vite"), "bin/vite.js"),
    folder.path,
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
  ];
  await using vite = await startServerProgram(process.execPath, [...command, "--strictPort"], port);
  await using relay = await startRelay();
  await using handle = await tunnelExpose({ ...relay.driver, port: vite.port });
  await using browser = await openBrowser();
  const { page } = browser;
  const shows = (text: string) => page.waitForSelector(`body[data-text="${text}"]`, { state: "attached" });

  const connected = page.waitForEvent("websocket");
  await page.goto(`http://127.0.0.1:${handle.containerPort}/`);
  await shows("one");
  const socket = await connected;
  if (!socket.isClosed()) await page.waitForFunction(() => document.readyState === "complete");
  await page.evaluate(() => (document.body.dataset.kept = "yes"));
  await writeFile(join(folder.path, "main.js"), script("two"));
  await shows("two");

  expect(await page.evaluate(() => document.body.dataset.kept)).toBe("yes");
  expect(new URL(socket.url()).port).toBe(String(handle.containerPort));
  await page.goto("about:blank");
});
