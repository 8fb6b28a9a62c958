import type { Page } from "playwright-core";
import { Serializer, type ItemStream, type SubscribeOptions } from "../../index";
import type { PageGlobals } from "./openBrowserPage";
import { errorOf } from "./pageFailures";
import type { PageNotice, PageStreamOrder } from "./pageStreams";

/** Exists in the page only. */
declare const runner: PageGlobals;

type Reading = Pick<PageStreamOrder, "client" | "target"> & Omit<SubscribeOptions, "after">;
type Result = IteratorResult<unknown, unknown>;

let lastKey = 0;

/** Names a call or a stream of any page. */
export const nextKey = (): number => ++lastKey;

/** A stream on this side that is read in the page, one step at a time. */
export function readInPage(
  page: Page,
  { client, target, signal, onGap, onOpen }: Reading,
): ItemStream<unknown, unknown> {
  const key = nextKey();
  const serializer = new Serializer();
  let opening: Promise<void> | undefined;
  let told = 0;

  const tell = (notices: readonly PageNotice[]): void => {
    // A step and what waits for notices may bring the same ones.
    for (const { kind, value } of notices.slice(told)) {
      told += 1;
      if (kind === "gap") onGap?.(serializer.deserialize(value));
      else onOpen?.(serializer.deserialize(value));
    }
  };

  async function open(): Promise<void> {
    const abort = (): void => void page.evaluate((aborted) => runner.calls.abort(aborted), key);
    const isAborted = signal?.aborted === true;
    signal?.addEventListener("abort", abort, { once: true });
    await page.evaluate((order) => runner.streams.open(order), { key, client, target, isAborted });
    if (onOpen !== undefined) void listenForNotices().catch(() => {});
  }

  /** Until the page is closed: a subscription says that it has begun before it gives anything. */
  async function listenForNotices(): Promise<never> {
    for (;;) tell(await page.evaluate(([of, known]) => runner.streams.untilToldMore(of, known), [key, told] as const));
  }

  async function take(what: "next" | "return" | "result"): Promise<Result> {
    await (opening ??= open());
    const step = await page.evaluate(([of, how]) => runner.streams.take(of, how), [key, what] as const);
    tell(step.notices);
    if (step.kind !== "step") throw errorOf(step, signal);
    return { done: step.done, value: serializer.deserialize<unknown>(step.value) };
  }

  return {
    get result() {
      return take("result").then(({ value }) => value);
    },
    [Symbol.asyncIterator]: () => ({ next: () => take("next"), return: () => take("return") }),
  };
}
