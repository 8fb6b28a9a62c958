import vm from "node:vm";
import {
  CancellationError,
  defineError,
  Errors,
  normalizeError,
  r,
  run,
  TunnelError,
  type ErrorReference,
  type RunnerError,
} from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

const soldOut = r
  .error<{ sku: string; left: number }>("shop.soldOut")
  .format(({ sku, left }) => `${sku} is sold out (${left} left)`)
  .meta({ title: "Sold out" })
  .build();

describe("an error helper", () => {
  it("an error helper throws an Error with its id as name, its data and its message", () => {
    const error = thrownBy(() => soldOut.throw({ sku: "tea", left: 0 })) as RunnerError;

    expect(error).toBeInstanceOf(Error);
    expect({ ...error, name: error.name, message: error.message }).toMatchObject({
      name: "shop.soldOut",
      id: "shop.soldOut",
      data: { sku: "tea", left: 0 },
      message: "tea is sold out (0 left)",
    });
    expect(String(error)).toBe("shop.soldOut: tea is sold out (0 left)");
    expect(soldOut.meta).toEqual({ title: "Sold out" });
  });

  it("an error helper makes one without throwing it, with a cause", () => {
    const cause = new Error("warehouse");

    const error = soldOut.create({ sku: "tea", left: 0 }, { cause });

    expect(error.cause).toBe(cause);
    expect(soldOut.is(error) && error.data.sku).toBe("tea");
  });

  it("an error helper says its data as JSON without a format", () => {
    expect(r.error<{ a: number }>("plain").build().create({ a: 1 }).message).toBe('{"a":1}');
  });

  it("an error helper recognises its own by brand and id, and nothing else", () => {
    const sameId = defineError<{ sku: string; left: number }>({ id: "shop.soldOut" });
    const other = defineError<{ sku: string }>("other").build();
    const lookalike = Object.assign(new Error("x"), { name: "shop.soldOut" });

    expect(soldOut.is(sameId.create({ sku: "tea", left: 0 }))).toBe(true);
    for (const value of [other.create({ sku: "tea" }), lookalike, { name: "shop.soldOut" }, null, undefined, "x"]) {
      expect(soldOut.is(value)).toBe(false);
    }
  });

  it("an error helper is injected as itself, listed by the store, and thrown through tasks unchanged", async () => {
    const buy = r
      .task("buy")
      .dependencies({ soldOut })
      .throws([soldOut, "shop.closed", "shop.soldOut"])
      .run(async (sku: string, { soldOut }) => soldOut.throw({ sku, left: 0 }))
      .build();
    await using app = await run(appOf(soldOut, buy));

    const error = await rejectionOf(app.runTask(buy, "tea"));

    expect(soldOut.is(error) && error.data).toEqual({ sku: "tea", left: 0 });
    expect(app.store.errors.get("shop.soldOut")).toBe(soldOut);
    expect(buy.throws).toEqual(["shop.soldOut", "shop.closed"]);
  });
});

describe("a throws list", () => {
  it.each<[unknown, string]>([
    [null, "null"],
    [[], "array"],
    [{}, "object"],
    [1, "number"],
    ["  ", "string"],
    [undefined, "undefined"],
  ])("a throws list refuses %j", (entry, got) => {
    const message = (kind: string) =>
      `Invalid throws entry for ${kind} app.x: expected error id string or Error helper, got ${got}`;

    expect(() =>
      r
        .task("app.x")
        .throws([entry as ErrorReference])
        .run(async () => 1)
        .build(),
    ).toThrow(new Error(message("task")));
    expect(() =>
      r
        .resource("app.x")
        .throws([entry as ErrorReference])
        .build(),
    ).toThrow(new Error(message("resource")));
  });

  it("a throws list is absent when it was never given", () => {
    expect(
      r
        .task("task")
        .run(async () => 1)
        .build().throws,
    ).toBeUndefined();
  });
});

describe("cancellation", () => {
  it("a cancellation is one class, however it was made", () => {
    const made = Errors.cancellationError.create({ reason: "too slow" });
    const constructed = new CancellationError("too slow");

    for (const error of [made, constructed]) {
      expect(error).toBeInstanceOf(CancellationError);
      expect(Errors.cancellationError.is(error)).toBe(true);
      expect(Errors.isCancellationError(error)).toBe(true);
      expect(error).toMatchObject({ message: "too slow", data: { reason: "too slow" } });
    }
    expect(new CancellationError().message).toBe("Operation cancelled");
    expect(new Error("too slow")).not.toBeInstanceOf(CancellationError);
  });

  it("a cancellation of a subclass keeps the ordinary meaning of instanceof", () => {
    class Timeout extends CancellationError {}

    expect(new Timeout()).toBeInstanceOf(CancellationError);
    expect(new CancellationError()).not.toBeInstanceOf(Timeout);
  });
});

describe("normalizeError", () => {
  it("normalizeError passes errors as they are, also those of another realm", () => {
    const own = new TypeError("own");
    const foreign: unknown = vm.runInNewContext("new RangeError('foreign')");

    expect(normalizeError(own)).toBe(own);
    expect(foreign).not.toBeInstanceOf(Error);
    expect(normalizeError(foreign)).toBe(foreign);
  });

  it.each([
    ["boom", "boom"],
    [7, "7"],
    [undefined, "undefined"],
    [{ a: 1 }, "[object Object]"],
  ])("normalizeError makes an error of %j", (thrown, message) => {
    expect(normalizeError(thrown)).toEqual(new Error(message));
  });
});

it("a TunnelError is recognised by brand", () => {
  const error = new TunnelError("FORBIDDEN", "no", undefined, { httpCode: 403 });

  expect(error).toBeInstanceOf(TunnelError);
  expect({ ...error }).toEqual({ name: "TunnelError", code: "FORBIDDEN", httpCode: 403 });
  expect(new Error("no")).not.toBeInstanceOf(TunnelError);
});

it("the message that an error makes of its data says of a list of many holes how long it is", () => {
  const holes: number[] = [];
  holes[30_000_000] = 1;
  const tooMany = r.error("app.errors.tooMany").build();

  const error = tooMany.create({ holes, few: [1, 2] });

  expect(error.message).toBe('{"holes":"[30000001 items]","few":[1,2]}');
  expect((error.data as { holes?: unknown }).holes).toBe(holes);
});
