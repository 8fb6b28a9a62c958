import { asyncContext, createContext, Errors, globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

const user = r.asyncContext<{ id: string }>("user").build();
const locale = r.asyncContext<string>("locale").build();

describe("an async context", () => {
  it("an async context follows the async chain, and ends with it", async () => {
    const read = async () => {
      await new Promise(setImmediate);
      return user.use().id;
    };

    expect(await user.provide({ id: "a" }, read)).toBe("a");
    const error = thrownBy(() => user.use());
    expect(Errors.contextError.is(error)).toBe(true);
    expect(error.message.split("\n")).toEqual([
      "Context not available for symbol user",
      '  fix: run what reads it inside .provide(value, fn) of context "user".',
    ]);
  });

  it("an async context returns exactly what the function returns", () => {
    expect(user.provide({ id: "a" }, () => 5)).toBe(5);
    expect(() =>
      user.provide({ id: "a" }, () => {
        throw new Error("at once");
      }),
    ).toThrow("at once");
  });

  it("an async context is apart for concurrent chains", async () => {
    const read = (id: string) =>
      user.provide({ id }, async () => {
        await new Promise(setImmediate);
        return user.use().id;
      });

    expect(await Promise.all(["a", "b", "c"].map(read))).toEqual(["a", "b", "c"]);
  });

  it("an async context shadows when nested, restores after, and composes with others", () => {
    const seen: string[] = [];

    user.provide({ id: "outer" }, () =>
      locale.provide("ro", () => {
        user.provide({ id: "inner" }, () => void seen.push(user.use().id, locale.use()));
        seen.push(user.use().id);
      }),
    );

    expect(seen).toEqual(["inner", "ro", "outer"]);
  });

  it("an async context shares its slot with every definition of its id", () => {
    const same = asyncContext<{ id: string }>({ id: "user" });
    const started = asyncContext<{ id: string }>("user").build();

    expect(user.provide({ id: "a" }, () => [same.use(), started.use()])).toEqual([{ id: "a" }, { id: "a" }]);
  });

  it("an async context may hold undefined", () => {
    const maybe = r.asyncContext<string | undefined>("maybe").build();

    expect(maybe.provide(undefined, () => maybe.use())).toBeUndefined();
  });

  it("an async context travels as the framework's serializer writes it, unless told otherwise", () => {
    const since = r.asyncContext<Date>("since").build();
    const custom = r
      .asyncContext<number>("custom")
      .serialize((n) => `#${n}`)
      .parse((text) => Number(text.slice(1)))
      .build();

    expect(since.parse(since.serialize(new Date(5)))).toEqual(new Date(5));
    expect([custom.serialize(7), custom.parse("#7")]).toEqual(["#7", 7]);
  });

  it("an async context has an id of its own when made without a name", () => {
    const [one, two] = [createContext<number>(), createContext<number>()];

    expect(one.id).toMatch(/^context\.[a-z0-9]+\.\d+$/);
    expect(one.id).not.toBe(two.id);
    expect(createContext("named").id).toBe("named");
  });
});

describe("in an application", () => {
  const whoAmI = r
    .task("whoAmI")
    .dependencies({ user })
    .run(async (_: void, { user }) => user.use().id)
    .build();

  it("an async context of an application is injected as itself, and has to be registered for that", async () => {
    await using app = await run(appOf(user, whoAmI));

    expect(await user.provide({ id: "a" }, () => app.runTask(whoAmI))).toBe("a");
    const error = await rejectionOf(run(appOf(whoAmI)));
    expect(error.message.split("\n")[0]).toBe(
      "Dependency AsyncContext user not found. Did you forget to register it through a resource?",
    );
  });

  it("an async context of an application reaches nested tasks and hooks", async () => {
    const seen: string[] = [];
    const ping = r.event("ping").build();
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => void seen.push(user.use().id))
      .build();
    const task = r
      .task("task")
      .dependencies({ ping, whoAmI })
      .run(async (_: void, { ping, whoAmI }) => {
        await ping();
        seen.push(await whoAmI());
      })
      .build();
    await using app = await run(appOf(user, whoAmI, ping, hook, task));

    await user.provide({ id: "a" }, () => app.runTask(task));

    expect(seen).toEqual(["a", "a"]);
  });

  it("an async context of an application can be required: without it the task does not run", async () => {
    const body = jest.fn(async () => "ran");
    const guarded = r.task("guarded").middleware([user.require()]).run(body).build();
    await using app = await run(appOf(guarded));

    const error = await rejectionOf(app.runTask(guarded));

    expect(Errors.contextError.is(error)).toBe(true);
    expect(body).not.toHaveBeenCalled();
    expect(await user.provide({ id: "a" }, () => app.runTask(guarded))).toBe("ran");
  });

  it("requireContext without a context says what is missing", async () => {
    const task = r
      .task("task")
      .middleware([globals.middleware.requireContext as never])
      .run(async () => 1)
      .build();
    await using app = await run(appOf(task));

    expect((await rejectionOf(app.runTask(task))).message).toBe(
      "Context not available. Did you forget to pass 'context' to the middleware?",
    );
  });
});
