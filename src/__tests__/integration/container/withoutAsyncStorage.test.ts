import { Errors, PlatformAdapter, r, run, setPlatform, type RunResult } from "../../../index";
import { appOf } from "../../support/appOf";
import { thrownBy } from "../../support/failures";

/** What a browser or an edge runtime gives: everything but AsyncLocalStorage and a process to end. */
const edge = new PlatformAdapter("edge");
const node = new PlatformAdapter("node");
beforeAll(() => setPlatform(edge));
afterAll(() => setPlatform(node));

it("an application runs its tasks, events and queues", async () => {
  const heard: number[] = [];
  const a = r.event<number>("a").build();
  const emitAgain = r
    .task("emitAgain")
    .dependencies({ a })
    .run(async (n: number, { a }) => a(n))
    .build();
  const hook = r
    .hook("hook")
    .on(a)
    .dependencies({ emitAgain })
    .run(async ({ data }, { emitAgain }) => {
      heard.push(data);
      // Nothing notices an emission that comes round here.
      if (data < 2) await emitAgain(data + 1);
    })
    .build();

  await using app = await run(appOf(a, emitAgain, hook));
  await app.emitEvent(a, 0);

  expect(heard).toEqual([0, 1, 2]);
});

it("an async context can be defined and registered; using it says what is missing", async () => {
  const user = r.asyncContext<string>("user").build();
  const work = jest.fn();
  await using app: RunResult = await run(appOf(user));

  const errors = [thrownBy(() => user.use()), thrownBy(() => user.provide("a", work))];

  expect(app.store.asyncContexts.get("user")).toBe(user);
  expect(errors.every((error) => Errors.platformUnsupportedFunctionError.is(error))).toBe(true);
  expect(errors[0]?.message).toMatch(
    /createAsyncLocalStorage: Cannot create context user: no async storage available in this environment/,
  );
  expect(work).not.toHaveBeenCalled();
});
