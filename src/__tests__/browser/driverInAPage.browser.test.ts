import type { SocketLike } from "../support/independentDriver";
import { expectWholeLife, protocols, token } from "../support/independentLife";
import { openBrowserPage, type PageGlobals } from "./openBrowserPage";

/** Exist in the page only, as does everything inside `page.evaluate`. */
declare const runner: PageGlobals;
declare const report: (event: string, facts: Record<string, unknown>) => void;
declare const window: { leave(): void };

it("a page of an allowed origin is a driver: it binds, serves both ways, resumes and leaves", async () => {
  await using opened = await openBrowserPage();
  const { page, origin } = opened;
  const secret = `runner-token.${Buffer.from(token).toString("base64url")}`;

  await expectWholeLife(
    (url, reportHere, leave) => {
      void (async () => {
        await page.exposeFunction("report", reportHere);
        await page.evaluate(
          ([address, ...names]) => {
            const left = new Promise<void>((resolve) => (window.leave = resolve));
            const connect = (): SocketLike => new WebSocket(address, names) as unknown as SocketLike;
            void runner.runIndependentDriver(connect, report, left);
          },
          [url, ...protocols, secret] as const,
        );
        await leave;
        await page.evaluate(() => window.leave());
      })();
    },
    { allowedOrigins: [origin] },
  );

  expect(opened.pageErrors).toEqual([]);
});
