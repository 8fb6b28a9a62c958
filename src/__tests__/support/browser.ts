import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

/** A real browser with an empty page. */
export interface Browser extends AsyncDisposable {
  readonly page: Page;
  /** Exceptions of the page that were not caught, and what it logged as an error by itself. */
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

/** Disposing leaves neither a process nor a file. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`No browser at ${executablePath}: install Debian's chromium, or name another one in CHROMIUM.`);
  }
  const profile = await mkdtemp(join(tmpdir(), "runner-browser-"));
  let context: BrowserContext | undefined;
  const close = async (): Promise<void> => {
    await context?.close();
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
    return { page, pageErrors, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
