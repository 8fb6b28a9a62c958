import { Fleet, type Member } from "../support/draining/fleet";
import { openBrowserPage, type PageGlobals } from "./openBrowserPage";

/** Exist in the page only. */
declare const runner: PageGlobals;
declare function pickBaseUrl(): Promise<string | undefined>;
declare function tell(outcome: { readonly id: number; readonly lost?: string | undefined }): Promise<void>;

it("a page that calls two servers which are restarted in turn loses no call and runs nothing twice", async () => {
  await using browser = await openBrowserPage();
  const { page } = browser;
  await using fleet = new Fleet({ CORS_ORIGIN: browser.origin });
  const members = [await fleet.add(), await fleet.add()];
  const succeeded: number[] = [];
  const lost: string[] = [];
  let onOutcome: () => void = () => {};
  await page.exposeFunction("pickBaseUrl", () => fleet.pick()?.baseUrl);
  await page.exposeFunction("tell", (outcome: { id: number; lost?: string }) => {
    if (outcome.lost === undefined) succeeded.push(outcome.id);
    else lost.push(`${outcome.id}: ${outcome.lost}`);
    onOutcome();
  });
  const untilServed = async (count: number): Promise<void> => {
    const wanted = succeeded.length + lost.length + count;
    while (succeeded.length + lost.length < wanted) await new Promise<void>((resolve) => (onOutcome = resolve));
  };

  const calling = page.evaluate(async () => {
    let nextId = 0;
    const callUntilOver = async (): Promise<void> => {
      while (!("isOver" in window)) {
        const baseUrl = await pickBaseUrl();
        if (baseUrl === undefined) continue;
        const id = nextId++;
        const client = runner.createHttpClient({ baseUrl });
        await client.task("app.work", { id, ms: Math.random() * 40 }).then(
          () => tell({ id }),
          (error: unknown) => tell({ id, lost: String(error) }),
        );
      }
    };
    await Promise.all(Array.from({ length: 6 }, callUntilOver));
  });
  const ends = [];
  for (let restart = 0; restart < 2; restart++) {
    await untilServed(50);
    ends.push(await fleet.end(members.shift() as Member));
    members.push(await fleet.add());
  }
  await untilServed(50);
  await page.evaluate(() => void Object.assign(window, { isOver: true }));
  await calling;
  for (const member of members) ends.push(await fleet.end(member));

  const finished = ends.flatMap(({ farewell }) => farewell?.finished ?? []);
  const inOrder = (ids: readonly number[]) => [...ids].sort((a, b) => a - b);
  expect(lost).toEqual([]);
  expect(ends.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
  expect(inOrder(finished)).toEqual(inOrder(succeeded));
}, 120_000);
