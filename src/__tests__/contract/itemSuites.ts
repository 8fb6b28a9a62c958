import { r } from "../../node";
import {
  collect,
  contextual,
  definitions,
  echo,
  endless,
  failing,
  numbers,
  plain,
  seen,
  sold,
  visitor,
} from "../integration/streams/streamDefinitions";
import { incompressibleText } from "../support/incompressible";
import { soon } from "../support/soon";
import { untilSettled, until } from "../support/turns";
import { describeRows, openCarrier, type CarrierRow, type OpenCarrier } from "./carriers";
import type { WaitControl } from "./contractApp";

const MiB = 1024 * 1024;
const chunkBytes = 64 * 1024;
/** How many chunks were made. */
const made = { count: 0 };
const large = r
  .task("app.large")
  .stream(async function* () {
    for (;;) {
      made.count += 1;
      // A compressed one would leave buffers empty.
      yield incompressibleText(chunkBytes);
    }
  })
  .build();

/** Yields once, then waits for its caller to leave. */
const holding = (waits: WaitControl) =>
  r
    .task("contract.hold")
    .stream(async function* (call: string, _dependencies, { signal }) {
      yield "here";
      await waits.enter(call, signal);
    })
    .build();

/** What every carrier keeps of the items that a task streams to its caller. */
export function describeItems(carriers: readonly CarrierRow[]): void {
  const rows = carriers.filter(({ can }) => can.items !== "neither way");

  describeRows("items of a task", rows, (row) => {
    let carrier: OpenCarrier;
    beforeAll(async () => {
      carrier = await openCarrier(row, { also: (waits) => [...definitions, large, holding(waits), sold, visitor] });
    });
    afterAll(() => carrier[Symbol.asyncDispose]());
    beforeEach(() => void seen.splice(0));

    it("come in order, and so does what the task returns", async () => {
      const stream = carrier.client.stream(numbers, { from: 1, to: 1000 });

      const items = await collect(stream);

      expect(items).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
      expect(await stream.result).toEqual({ total: 500_500 });
    });

    it("may be of every type that calls carry, undefined and line breaks among them", async () => {
      const deep = { deep: [/x/gi] };
      const values = [undefined, null, "a\nb\r\n", "", new Date(0), new Map([[1, new Set(["x"])]]), 10n, deep, "ü€😀"];

      const stream = carrier.client.stream(echo, values);

      expect(await collect(stream)).toEqual(values);
      expect(await stream.result).toEqual(values);
    });

    it("may be none", async () => {
      const stream = carrier.client.stream(numbers, { from: 1, to: 0 });

      expect(await collect(stream)).toEqual([]);
      expect(await stream.result).toEqual({ total: 0 });
    });

    it("end the task when the loop is left, and have no result", async () => {
      const stream = carrier.client.stream(endless);
      for await (const count of stream) if (count === 3) break;

      await until(() => seen.length === 2);
      expect(seen).toEqual(["aborted", "finally"]);
      expect(await stream.result).toBeUndefined();
    });

    it("are not asked for by a loop that is left before the first one", async () => {
      const stream = carrier.client.stream(endless);
      const items = stream[Symbol.asyncIterator]();

      expect(await items.return?.()).toEqual({ done: true, value: undefined });
      expect(await items.next()).toEqual({ done: true, value: undefined });
      expect(await stream.result).toBeUndefined();
      expect(await carrier.call("nothing", {})).toBeUndefined();
      expect(seen).toEqual([]);
    });

    it("end while the next one is waited for, and are left twice as once", async () => {
      const name = `left:${row.name}`;
      const items = carrier.client.stream("contract.hold", name)[Symbol.asyncIterator]();
      await soon(items.next());
      const next = items.next();
      await carrier.served.waits.arrived(name);

      const ends = await soon(Promise.all([items.return?.(), items.return?.(), next]));

      expect(ends).toEqual(ends.map(() => ({ done: true, value: undefined })));
      await carrier.served.waits.aborted(name);
    });

    it("end with the reason of the caller's signal, and so does the task", async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const reading = (async () => {
        for await (const count of carrier.client.stream(endless, undefined, { signal: controller.signal })) {
          if (count === 3) controller.abort(reason);
        }
      })();

      await expect(reading).rejects.toBe(reason);
      await until(() => seen.length === 2);
    });

    it.each([0, 3])("end with the task's declared error after %i items", async (after) => {
      const items: unknown[] = [];
      const reading = (async () => {
        for await (const item of carrier.client.stream(failing, { after, how: "declared" })) items.push(item);
      })();

      await expect(reading).rejects.toMatchObject({ id: sold.id, data: { count: after } });
      expect(items).toHaveLength(after);
    });

    it.each([
      ["opaque", 0],
      ["opaque", 2],
      ["unwritable", 0],
      ["unwritable", 2],
    ] as const)("end with an error that tells nothing of the inside: %s, after %i items", async (how, after) => {
      const items: unknown[] = [];
      const reading = (async () => {
        for await (const item of carrier.client.stream(failing, { after, how })) items.push(item);
      })();

      await expect(reading).rejects.toMatchObject({
        code: "INTERNAL_ERROR",
        message: expect.stringMatching(/^Internal Error/) as string,
      });
      expect(items).toHaveLength(after);
    });

    it("are made only as far as they are read, beyond what buffers hold", async () => {
      made.count = 0;
      const items = carrier.client.stream(large)[Symbol.asyncIterator]();

      await soon(items.next());
      await untilSettled(() => made.count);

      expect(made.count * chunkBytes).toBeLessThan(row.waitingBytes ?? 8 * MiB);
      await items.return?.();
    });

    it("are refused to callers that ask for no items, with the fix", async () => {
      await expect(carrier.client.task(numbers.id, { from: 1, to: 2 })).rejects.toMatchObject({
        code: "NOT_ACCEPTABLE",
        message: expect.stringContaining("client.stream()") as string,
      });
    });

    it("are missed with NOT_A_STREAM where the task does not stream", async () => {
      await expect(collect(carrier.client.stream(plain.id))).rejects.toMatchObject({ code: "NOT_A_STREAM" });
    });

    it("of a task that is not listed are forbidden", async () => {
      await expect(collect(carrier.client.stream("contract.unlisted"))).rejects.toMatchObject({ code: "FORBIDDEN" });
    });
  });

  describeRows(
    "contexts of items",
    rows.filter(({ can }) => can.contexts),
    (row) => {
      it("are those of the call, after each await", async () => {
        await using carrier = await openCarrier(row, { also: () => [contextual, visitor] });

        const stream = visitor.provide({ name: "Ada" }, () => carrier.client.stream(contextual));

        expect(await collect(stream)).toEqual(Array.from({ length: 6 }, () => "Ada"));
      });
    },
  );
}
