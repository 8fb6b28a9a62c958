import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { openBrowser, type Browser } from "../support/browser";

/** What pages find in the global `runner`, as a bundler makes it for browsers. */
export type PageGlobals = typeof import("./pageEntry");

/** A page in a real browser, on an origin of its own. */
export interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
  readonly origin: string;
  /** The server behind the page: what is attached to it has the page's origin. */
  readonly server: ReturnType<typeof createServer>;
  /** Exceptions of the page that were not caught, and what it logged as an error by itself. */
  readonly pageErrors: readonly Error[];
}

/** Bundles the entries, serves them in a page, and opens it. Disposing leaves neither a process nor a file. */
export async function openBrowserPage(): Promise<BrowserPage> {
  const server = createServer(servePage(await bundleForBrowsers()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.[Symbol.asyncDispose]();
    server.closeAllConnections();
    await once(server.close(), "close");
  };
  try {
    browser = await openBrowser();
    const { page, pageErrors } = browser;
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
