import { CancellationError, EventManager, r, run, type RegisterableItems } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const paid = r.event("paid").build();
const shipped = r.event("shipped").build();
const outOfStock = r
  .error<{ sku: string }>("outOfStock")
  .format(({ sku }) => `No ${sku} left`)
  .build();

const failing = (id: string, thrown: unknown, event = paid) =>
  r
    .hook(id)
    .on(event)
    .run(() => Promise.reject(thrown))
    .build();

async function failureOf(...items: readonly RegisterableItems[]): Promise<Error> {
  await using app = await run(appOf(paid, ...items));
  return rejectionOf(app.emitEvent(paid));
}

describe("an emission that fails", () => {
  it("an emission that fails rejects with the error of the hook, which says which hook on which event", async () => {
    const thrown = new TypeError("boom");

    const error = await failureOf(failing("mail", thrown));

    expect(error).toBe(thrown);
    expect(error.message).toBe('boom\n  in hook "mail" on event "paid"');
    expect(error).toMatchObject({ hookId: "mail", eventId: "paid", cause: { hookId: "mail", eventId: "paid" } });
  });

  it("an emission that fails keeps the identity, data and cause of a typed error", async () => {
    const cause = new Error("warehouse is closed");
    const thrown = outOfStock.create({ sku: "A1" }, { cause });

    const error = await failureOf(failing("reserve", thrown));

    expect(outOfStock.is(error) && error.data).toEqual({ sku: "A1" });
    expect(error.cause).toBe(cause);
    expect(error.message).toBe('No A1 left\n  in hook "reserve" on event "paid"');
  });

  it("an emission that fails makes an error of what is none, with that as its cause", async () => {
    const error = await failureOf(failing("mail", "no route"));

    expect(error.message).toBe('no route\n  in hook "mail" on event "paid"');
    expect(error.cause).toBe("no route");
  });

  it("an emission that fails passes on frozen errors, cancellations and aborts as they are", async () => {
    const frozen = Object.freeze(new Error("frozen"));
    const aborted = AbortSignal.abort().reason as Error;
    const cancelled = new CancellationError("left");

    for (const thrown of [frozen, aborted, cancelled]) {
      const { message } = thrown;
      expect(await failureOf(failing("mail", thrown))).toBe(thrown);
      expect(thrown.message).toBe(message);
    }
  });

  it("an emission that fails names each hook that an error passed through, innermost first", async () => {
    const outer = r
      .hook("outer")
      .on(paid)
      .dependencies({ shipped })
      .run(async (_emission, { shipped: emit }) => emit())
      .build();

    const error = await failureOf(shipped, failing("inner", new Error("boom"), shipped), outer);

    expect(error.message.split("\n")).toEqual([
      "boom",
      '  in hook "inner" on event "shipped"',
      '  in hook "outer" on event "paid"',
    ]);
    expect(error).toMatchObject({ hookId: "inner", eventId: "shipped" });
  });

  it("an emission that fails names a hook once, however often one error object is thrown", async () => {
    const thrown = new Error("boom");
    await using app = await run(appOf(paid, failing("mail", thrown)));

    await rejectionOf(app.emitEvent(paid));
    await rejectionOf(app.emitEvent(paid));

    expect(thrown.message).toBe('boom\n  in hook "mail" on event "paid"');
  });

  it("an emission that fails names the hook among several, and one that fails at once", async () => {
    const quiet = r
      .hook("quiet")
      .on(paid)
      .run(async () => {})
      .build();
    const sync = r
      .hook("sync")
      .on(paid)
      .order(1)
      .run(() => {
        throw new Error("at once");
      })
      .build();

    expect((await failureOf(quiet, sync)).message).toBe('at once\n  in hook "sync" on event "paid"');
    expect((await failureOf(sync)).message).toBe('at once\n  in hook "sync" on event "paid"');
  });

  it("an emission that fails names hooks that listen to everything, and listeners and interceptors without a name", async () => {
    const wildcard = r
      .hook("wildcard")
      .on("*")
      .run(({ id }) => (id === "paid" ? Promise.reject(new Error("boom")) : Promise.resolve()))
      .build();
    const boom = () => Promise.reject(new Error("boom"));
    const [listening, named, intercepting, hooked] = Array.from({ length: 4 }, () => new EventManager()) as [
      EventManager,
      EventManager,
      EventManager,
      EventManager,
    ];
    listening.addListener(paid, boom);
    named.addListener(paid, boom, { id: "audit" });
    intercepting.intercept(boom);
    hooked.intercept((next, emission) => next(emission));
    hooked.addListener(paid, boom);

    const messages = [
      (await failureOf(wildcard)).message,
      ...(await Promise.all(
        [listening, named, intercepting, hooked].map(
          async (manager) => (await rejectionOf(manager.emit(paid, undefined, "test"))).message,
        ),
      )),
    ];

    expect(messages).toEqual([
      'boom\n  in hook "wildcard" on event "paid"',
      'boom\n  in a listener of event "paid"',
      'boom\n  in listener "audit" of event "paid"',
      'boom\n  in an interceptor of event "paid"',
      'boom\n  in a listener of event "paid"',
    ]);
  });

  it("an emission that fails fails the task that emitted with an error that says so", async () => {
    const checkout = r
      .task("checkout")
      .dependencies({ paid })
      .run(async (_input: void, { paid: emit }) => emit())
      .build();
    await using app = await run(appOf(paid, checkout, failing("mail", new Error("boom"))));

    expect((await rejectionOf(app.runTask(checkout))).message).toBe('boom\n  in hook "mail" on event "paid"');
  });
});
