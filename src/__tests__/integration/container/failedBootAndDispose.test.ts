import { Errors, globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { createTrace } from "../../support/trace";
import { rejectionOf } from "../../support/failures";

describe("an init that fails", () => {
  it("an init that fails is named, and what was initialised before it is disposed of", async () => {
    const { log, traced } = createTrace();
    const original = new Error("no route to host");
    const early = traced("early").build();
    const broken = r
      .resource("broken")
      .dependencies({ early })
      .init(async () => {
        throw original;
      })
      .dispose(async () => void log.push("-broken"))
      .build();
    const root = traced("app")
      .register(r.resource("feature").register([early, broken]).build())
      .build();

    const error = await rejectionOf(run(root));

    expect(error).toBe(original);
    expect(error.message).toBe('Resource "broken" initialization failed: no route to host');
    expect(error).toMatchObject({
      resourceId: "broken",
      resourcePath: ["app", "feature", "broken"],
      cause: { resourceId: "broken", resourcePath: ["app", "feature", "broken"] },
    });
    expect(log).toEqual(["+early", "-early"]);
  });

  it.each([
    ["a string", "down", 'Resource "b" initialization failed: down'],
    ["an error whose text happens to contain the id", new Error("boom"), 'Resource "b" initialization failed: boom'],
    ["an error that names the resource already", new Error('"b" is down'), '"b" is down'],
    ["an error that starts with the id of the resource", new Error("b: no route to host"), "b: no route to host"],
    ["an error that starts with the id and a dot", new Error("b. Down"), "b. Down"],
    ["an error that names a longer id", new Error("b.c is down"), 'Resource "b" initialization failed: b.c is down'],
  ])("an init that fails keeps or makes an error out of %s", async (_case, thrown, message) => {
    const broken = r
      .resource("b")
      .init(() => Promise.reject(thrown))
      .build();

    const error = await rejectionOf(run(appOf(broken)));

    expect(error.message).toBe(message);
    expect(error).toMatchObject({ resourceId: "b" });
  });

  it("an init of the root that fails is passed on as it is", async () => {
    const error = await rejectionOf(
      run(
        r
          .resource("app")
          .init(() => Promise.reject(new Error("boom")))
          .build(),
      ),
    );

    expect(error.message).toBe("boom");
    expect(error).not.toHaveProperty("resourceId");
  });

  it("an init that fails wins over a failure while rolling back", async () => {
    const stubborn = r
      .resource("stubborn")
      .init(async () => {})
      .dispose(() => Promise.reject(new Error("cannot close")))
      .build();
    const broken = r
      .resource("broken")
      .dependencies({ stubborn })
      .init(() => Promise.reject(new Error("boom")))
      .build();

    const error = await rejectionOf(run(appOf(stubborn, broken)));

    expect(error.message).toBe('Resource "broken" initialization failed: boom');
  });

  it("an init that fails, like a ready hook that throws, rolls everything back", async () => {
    const { log, traced } = createTrace();
    const hook = r
      .hook("hook")
      .on(globals.events.ready)
      .run(() => Promise.reject(new Error("not ready")))
      .build();

    const error = await rejectionOf(run(traced("app").register(hook).build()));

    expect(error.message).toBe('not ready\n  in hook "hook" on event "globals.events.ready"');
    expect(log).toEqual(["+app", "-app"]);
  });
});

describe("dispose", () => {
  it("dispose() happens once, however often it is called", async () => {
    const dispose = jest.fn(async () => {});
    const app = await run(
      r
        .resource("app")
        .init(async () => 1)
        .dispose(dispose)
        .build(),
    );

    const first = app.dispose();
    await Promise.all([first, app.dispose(), app[Symbol.asyncDispose]()]);

    expect(app.dispose()).toBe(first);
    expect(dispose).toHaveBeenCalledTimes(1);
  });

  const failing = (id: string, log: string[]) =>
    r
      .resource(id)
      .init(async () => {})
      .dispose(async () => {
        log.push(id);
        throw new Error(`${id} failed`);
      })
      .build();

  it("dispose() attempts all resources and rejects with a single failure as it is", async () => {
    const log: string[] = [];
    const { log: others, traced } = createTrace();
    const app = await run(appOf(traced("first").build(), failing("second", log)));

    const error = await rejectionOf(app.dispose());

    expect(error.message).toBe("second failed");
    expect(error).not.toBeInstanceOf(AggregateError);
    expect(others).toEqual(["+first", "-first"]);
  });

  it("dispose() rejects with all failures when there are several, the first one's message first", async () => {
    const log: string[] = [];
    const app = await run(appOf(failing("a", log), failing("b", log)));

    const error = await rejectionOf(app.dispose());

    expect(log).toEqual(["b", "a"]);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.message).toMatch(/^b failed/);
    expect((error as AggregateError).errors.map((each: Error) => each.message)).toEqual(["b failed", "a failed"]);
  });

  it("dispose() calls dispose with the definition as this", async () => {
    const seen: unknown[] = [];
    const definition = r
      .resource("app")
      .dispose(async function (this: unknown) {
        seen.push(this);
      })
      .build();

    await (await run(definition)).dispose();

    expect(seen).toEqual([definition]);
  });
});

it("resource results are checked against their schema, and named", async () => {
  const schema = {
    parse(value: unknown): number {
      if (typeof value !== "number") throw new Error("must be a number");
      return value;
    },
  };
  const port = r
    .resource("port")
    .resultSchema(schema)
    .init(() => Promise.resolve("80" as unknown as number))
    .build();

  const error = await rejectionOf(run(appOf(port)));

  expect(Errors.validationError.is(error)).toBe(true);
  expect(error.message).toBe("Resource result validation failed for port: must be a number");
  expect(error).toMatchObject({ resourceId: "port", data: { subject: "Resource result", id: "port" } });
});
