import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium, type BrowserContext, type Page } from "playwright-core";

/** What pages find in the global `runner`, as a bundler makes it for browsers. */
export type PageGlobals = typeof import("./pageEntry");

/** A page in a real browser, on an origin of its own. */
export interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
  readonly origin: string;
  /** The server behind the page: what is attached to it has the page's origin. */
  readonly server: ReturnType<typeof createServer>;
  /** What the page threw and nobody caught, and what it logged as an error by itself. */
  readonly pageErrors: readonly Error[];
}

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Without them the browser talks to its maker at every start, which a closed network makes slow. */
const quietly = [
  "--no-sandbox", // needed as root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Bundles the entries, serves them in a page, and opens it. Disposing leaves neither a process nor a file. */
export async function openBrowserPage(): Promise<BrowserPage> {
  if (!existsSync(executablePath)) {
    throw new Error(`No browser at ${executablePath}: install Debian's chromium, or name another one in CHROMIUM.`);
  }
  const server = createServer(servePage(await bundleForBrowsers()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const profile = await mkdtemp(join(tmpdir(), "runner-browser-"));
  let context: BrowserContext | undefined;
  const close = async (): Promise<void> => {
    await context?.close();
    server.closeAllConnections();
    await once(server.close(), "close");
    // The last process of the browser may still write while the directory goes.
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    // Beside its profile, a browser writes into the home directory.
    const env = { ...process.env, HOME: profile };
    context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: quietly, env });
    const page = context.pages()[0] ?? (await context.newPage());
    const pageErrors: Error[] = [];
    page.on("pageerror", (error) => pageErrors.push(error));
    await page.goto(origin);
    return { page, origin, server, pageErrors, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function bundleForBrowsers(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "pageEntry.ts")],
    bundle: true,
    write: false,
    // Fails on anything that only Node has.
    platform: "browser",
    format: "iife",
    globalName: "runner",
    target: "es2022",
    minify: true,
    logLevel: "silent",
  });
  return String(outputFiles[0]?.text);
}

const servePage = (script: string) => (request: IncomingMessage, response: ServerResponse) => {
  if (request.url === "/") {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><link rel="icon" href="data:,"><script src="/runner.js"></script>`);
  } else if (request.url === "/runner.js") {
    response.setHeader("content-type", "text/javascript");
    response.end(script);
  } else if (request.url?.startsWith("/moved/")) {
    response.writeHead(307, { location: request.url.slice("/moved".length) }).end();
  }
  // What is left belongs to whatever is attached to the server.
};
