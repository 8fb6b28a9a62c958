import { r, run } from "../../../index";
import { createHttpMixedClient, createHttpSmartClient } from "../../../node";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";
import { watchUncaught } from "../../support/watchUncaught";

const quiet = { shutdownHooks: false, errorBoundary: false } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What stands where an `AbortSignal` belongs. */
const others: readonly [string, never][] = [
  ["an AbortController", new AbortController() as never],
  ["text", "x" as never],
  ["an object", { aborted: true } as never],
  ["null", null as never],
];

const body = jest.fn(async () => 1);
const task = r
  .task("t")
  .inputSchema({ parse: (value: number) => value })
  .run(body)
  .build();

describe("something in the place of the signal of a call", () => {
  beforeEach(() => body.mockClear());

  it.each(others)(
    "a local call with something else than a signal is refused, and the task does not run: %s",
    async (_name, signal) => {
      const caller = r
        .task("caller")
        .dependencies({ task })
        .run(async (_input: void, deps) => deps.task(1, { signal }))
        .build();
      await using app = await run(appOf(task, caller), quiet);

      for (const call of [app.runTask(task, 1, { signal }), app.runTask(caller)]) {
        const error = await rejectionOf(call);
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(/^signal of a call of "t" is an AbortSignal, got /);
      }
      expect(body).not.toHaveBeenCalled();
    },
  );

  it.each(others.slice(0, 3))(
    "a subscription with something else than a signal ends with an error: %s",
    async (_name, signal) => {
      const event = r.event<number>("e").build();
      await using app = await run(appOf(event), quiet);

      const error = await rejectionOf(app.subscribe([event], { signal })[Symbol.asyncIterator]().next());

      expect(error).toBeInstanceOf(TypeError);
      await app.emitEvent(event, 1);
    },
  );

  it.each([
    ["Mixed", createHttpMixedClient],
    ["Smart", createHttpSmartClient],
  ])(
    "discoverEach with something else than a signal answers with the error, and no rejection is left unhandled: %s",
    async (_name, create) => {
      using uncaught = watchUncaught();
      await using client = create({ baseUrl: "http://127.0.0.1:9" });

      for (const [, signal] of others) {
        const [answer] = await client.discoverEach({ signal });
        expect(answer?.error).toBeInstanceOf(TypeError);
      }

      await settled();
      expect(uncaught.seen).toEqual([]);
    },
  );
});
