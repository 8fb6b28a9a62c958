import { TunnelError } from "../../node";
import { rejectionOf } from "../support/failures";
import { stopTime } from "../support/stopTime";
import { describeRows, openCarrier, type CarrierRow, type OpenCarrier } from "./carriers";
import { locale, soldOut, visitor } from "./contractDefinitions";

const everyKind = () => ({
  text: "naïve ☕ \u{1f680}",
  nothing: null,
  absent: undefined,
  numbers: [1.5, -2, NaN, Infinity, -Infinity],
  large: 12345678901234567890n,
  date: new Date("2026-02-03T04:05:06.789Z"),
  map: new Map<unknown, unknown>([
    ["when", new Date(5)],
    [{ compound: "key" }, new Set([1n])],
  ]),
  set: new Set(["a", new Map([["nested", undefined]])]),
  buffer: Buffer.from([0, 127, 255]),
  bytes: new Uint8Array([1, 2, 3]),
  samples: new Int16Array([1, -1]),
  pattern: /a+b/giu,
  url: new URL("https://example.test/path?q=1#hash"),
  query: new URLSearchParams("a=1&a=2"),
  symbol: Symbol.for("shared"),
  lookalike: { __type: "Date", value: "not one", extra: true },
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejectionOf(promise);
  if (!(error instanceof TunnelError)) throw error;
  return error.code;
}

/** What every carrier keeps: values, failures, contexts, cancellation, events, schemas and limits. */
export function describeCalls(carriers: readonly CarrierRow[]): void {
  describeRows("every carrier keeps the protocol", carriers, (row) => {
    let carrier: OpenCarrier;
    beforeAll(async () => void (carrier = await openCarrier(row)));
    afterAll(() => carrier[Symbol.asyncDispose]());

    describe("values", () => {
      it("values come back as they were", async () => {
        const value = everyKind();
        const expected = row.can.buffers ? value : { ...value, buffer: new Uint8Array(value.buffer) };

        expect(await carrier.call("echo", { value })).toStrictEqual(expected);
      });

      it.each(Object.entries({ Date: new Date(), Map: new Map(), Set: new Set(), Uint8Array: Buffer.from("b") }))(
        "values reach the task as a %s",
        async (tag, value) => {
          expect(await carrier.call("tagOf", { value })).toBe(`[object ${tag}]`);
        },
      );

      it("values include errors, with their cause and fields", async () => {
        const value = Object.assign(new RangeError("too far", { cause: new Error("legs") }), { km: 42 });

        const returned = await carrier.call<typeof value>("echo", { value });

        expect(returned).toBeInstanceOf(Error);
        expect(returned).toMatchObject({ name: "RangeError", message: "too far", km: 42 });
        expect((returned.cause as Error).message).toBe("legs");
      });

      it("values may be absent", async () => {
        expect(await carrier.call("nothing", {})).toBeUndefined();
      });

      it("values that go round in circles are refused before anything is sent", async () => {
        const value: Record<string, unknown> = {};
        value["self"] = value;

        const error = await rejectionOf(carrier.call("echo", { value }));

        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(/^Cannot serialize circular structure in tree mode(\n|$)/);
      });

      it("values come back although they are larger than any input may be", async () => {
        const returned = await carrier.call<string>("repeat", { text: "ab", times: 2 * 1024 * 1024 });

        expect(returned).toHaveLength(4 * 1024 * 1024);
      });
    });

    describe("failures", () => {
      it("failures revive a declared error with its data", async () => {
        const since = new Date("2026-01-01");

        const error = await rejectionOf(carrier.call("sell", { sku: "tea", since }));

        expect(soldOut.is(error) && error.data).toEqual({ sku: "tea", since });
        expect(error.message).toBe("No tea left");
      });

      it("failures say nothing about an undeclared error", async () => {
        const error = await rejectionOf(carrier.call("crash", {}));

        expect(error).toBeInstanceOf(TunnelError);
        expect({ ...error, message: error.message }).toMatchObject({
          code: "INTERNAL_ERROR",
          message: expect.stringMatching(/^Internal Error(\n|$)/) as string,
        });
        expect(JSON.stringify({ ...error })).not.toContain("hunter2");
      });

      it("failures say nothing about a result that cannot be written", async () => {
        expect(await codeOf(carrier.call("loop", {}))).toBe("INTERNAL_ERROR");
      });

      it("failures say nothing about input that a task refuses from another task", async () => {
        expect(await codeOf(carrier.call("fulfil", {}))).toBe("INTERNAL_ERROR");
      });

      it("failures tell unknown callers to authenticate, whatever they ask for", async () => {
        await using stranger = carrier.connect({ token: "guessed" });

        expect(await codeOf(carrier.call("echo", { value: 1 }, {}, stranger))).toBe("UNAUTHORIZED");
        expect(await codeOf(carrier.call("missing", {}, {}, stranger))).toBe("UNAUTHORIZED");
      });

      it("failures forbid what no tunnel lists, and do not say whether it exists", async () => {
        expect(await codeOf(carrier.call("unlisted", {}))).toBe("FORBIDDEN");
        expect(await codeOf(carrier.call("missing", {}))).toBe("FORBIDDEN");
      });

      it("failures find nothing under an unknown id where everything is open", async () => {
        await using open = await openCarrier(row, { open: true });

        const error = await rejectionOf(open.call("missing", {}));

        expect(error).toMatchObject({
          code: "NOT_FOUND",
          message: expect.stringMatching(/^Task contract\.missing not found\n/) as string,
        });
        expect(await open.call("echo", { value: "here" })).toBe("here");
      });
    });

    describe("a call that is aborted", () => {
      it("a call that is aborted rejects with the caller's reason and aborts the signal of the task", async () => {
        const controller = new AbortController();
        const call = `abort:${row.name}`;
        const pending = rejectionOf(carrier.call("wait", { call }, { signal: controller.signal }));
        await carrier.served.waits.arrived(call);
        const reason = new Error("changed my mind");

        controller.abort(reason);

        expect(await pending).toBe(reason);
        await carrier.served.waits.aborted(call);
      });

      it("a call that is aborted is not made when the signal is aborted already", async () => {
        const reason = new Error("never mind");

        expect(await rejectionOf(carrier.call("wait", { call: "no" }, { signal: AbortSignal.abort(reason) }))).toBe(
          reason,
        );
      });

      it("a call that is aborted leaves other calls of its client alone", async () => {
        const controller = new AbortController();
        const call = `neighbours:${row.name}`;
        const abandoned = rejectionOf(carrier.call("wait", { call }, { signal: controller.signal }));
        await carrier.served.waits.arrived(call);

        controller.abort(new Error("not you"));

        expect(await carrier.call("echo", { value: "still here" })).toBe("still here");
        await abandoned;
      });
    });

    it("stops after the time it is given, and the task learns of it", async () => {
      const timeoutMs = row.hasOwnClock ? 2_000 : 200;
      using time = row.hasOwnClock ? undefined : stopTime();
      await using hasty = carrier.connect({ timeoutMs });
      const call = `timeout:${row.name}`;

      const failed = rejectionOf(carrier.call("wait", { call }, {}, hasty));
      await carrier.served.waits.arrived(call);
      time?.advance(timeoutMs);
      const error = await failed;

      expect(error instanceof TunnelError ? error.code : error.name).toBe(row.timesOutWith);
      await carrier.served.waits.aborted(call);
    });

    it("gives each of many interleaved calls its own answer", async () => {
      const indexes = Array.from({ length: row.callsAtOnce ?? 40 }, (_each, index) => index);
      const meet = (index: number) => carrier.call("meet", { name: row.name, of: indexes.length, index });

      expect(await Promise.all(indexes.map(meet))).toEqual(indexes);
    });

    describe("events", () => {
      it("events are delivered before the emission resolves", async () => {
        expect(await carrier.client.event("contract.counted", { count: 1 })).toBeUndefined();
      });

      it("events come back as their listeners left them, when asked", async () => {
        const result = await carrier.client.eventWithResult("contract.counted", { count: 1 });

        expect(result).toEqual({ count: 2, seenAt: new Date(7) });
      });

      it("events fail with the declared error of a listener", async () => {
        const error = await rejectionOf(carrier.client.event("contract.refused", { sku: "tea" }));

        expect(soldOut.is(error) && error.data.sku).toBe("tea");
      });

      it("events with parallel listeners have no payload to come back", async () => {
        const code = await codeOf(carrier.client.eventWithResult("contract.parallel", { count: 1 }));

        expect(code).toBe("PARALLEL_EVENT_RETURN_UNSUPPORTED");
      });
    });
  });

  describeRows(
    "async contexts",
    carriers.filter(({ can }) => can.contexts),
    (row) => {
      let carrier: OpenCarrier;
      beforeAll(async () => void (carrier = await openCarrier(row)));
      afterAll(() => carrier[Symbol.asyncDispose]());

      it("reach the task, those that are active", async () => {
        const value = { name: "Zoë ☕", since: new Date(3) };

        const seen = await visitor.provide(value, () => locale.provide("ro", () => carrier.call("whoami", {})));

        expect(seen).toEqual({ visitor: value, locale: "ro" });
      });

      it("are the call's own", async () => {
        const names = ["ada", "bob", "cyd"];

        const seen = await Promise.all(
          names.map((name) =>
            visitor.provide({ name, since: new Date(0) }, () =>
              locale.provide(name, () => carrier.call<{ locale: string }>("whoami", {})),
            ),
          ),
        );

        expect(seen.map((each) => each.locale)).toEqual(names);
      });
    },
  );

  describeRows(
    "carriers of values keep the task's schema",
    carriers.filter(({ can }) => can.values),
    (row) => {
      it("tells the caller where its input is wrong", async () => {
        await using carrier = await openCarrier(row);

        const error = await rejectionOf(carrier.call("order", { items: [{ quantity: 2 }, { quantity: -1 }] }));

        expect(error).toMatchObject({
          code: "VALIDATION_ERROR",
          data: { subject: "Task input", id: "contract.order", issues: [{ path: ["items", 1, "quantity"] }] },
        });
        expect(await carrier.call("order", { items: [{ quantity: 2 }] })).toBe(1);
      });
    },
  );

  describeRows(
    "inputs have a largest size",
    carriers.filter((row) => row.textLimitBytes !== undefined),
    (row) => {
      const limitBytes = row.textLimitBytes ?? 0;
      /** An input whose text, as it is sent, has this many bytes. */
      const inputOf = (bytes: number) => {
        const { beside } = row.dress({}) as { beside?: { id: string; meta: object } };
        const sentinel = beside && { $runnerFile: "File", id: beside.id, meta: beside.meta };
        const frameBytes = JSON.stringify({ input: { value: "", beside: sentinel } }).length;
        return { value: "x".repeat(bytes - frameBytes) };
      };

      it(`takes ${limitBytes} bytes, and not one more`, async () => {
        await using carrier = await openCarrier(row);

        const { value } = inputOf(limitBytes);
        expect(await carrier.call("echo", { value })).toBe(value);
        expect(await codeOf(carrier.call("echo", inputOf(limitBytes + 1)))).toBe("PAYLOAD_TOO_LARGE");
        expect(await carrier.call("echo", { value: "next" })).toBe("next");
      });
    },
  );
}
