import { r } from "../../node";
import {
  duplex,
  early,
  gather,
  itemTasks,
  noted,
  numbered,
  numbersTo,
  oneThenQuiet,
  reading,
} from "../integration/streams/itemInputDefinitions";
import { collect, plain, sold, visitor } from "../integration/streams/streamDefinitions";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import { createDeferred } from "../support/deferred";
import { incompressibleText } from "../support/incompressible";
import { soon } from "../support/soon";
import { until, untilSettled } from "../support/turns";
import { describeRows, openCarrier, type CarrierRow, type OpenCarrier } from "./carriers";

const MiB = 1024 * 1024;
const chunkBytes = 64 * 1024;

/** Reads one item, and the others once it is let go. */
const gate = { opened: createDeferred() };
const slow = r
  .task("app.slow")
  .itemInput<string>()
  .run(async (_input: undefined, _dependencies, { items }) => {
    for await (const item of items) if (item !== "") await gate.opened.promise;
  })
  .build();

/** What every carrier keeps of the items that a caller sends to a task. */
export function describeSentItems(carriers: readonly CarrierRow[]): void {
  describeRows(
    "items of a caller",
    carriers.filter(({ can }) => can.items === "both ways"),
    (row) => {
      let carrier: OpenCarrier;
      let client: RemoteClient;
      beforeAll(async () => {
        carrier = await openCarrier(row, { also: () => [...itemTasks, slow, plain, sold, visitor] });
        ({ client } = carrier);
      });
      afterAll(() => carrier[Symbol.asyncDispose]());
      beforeEach(() => void noted.splice(0));

      it("arrive in order behind the input", async () => {
        const { items, state } = numbersTo(3000);

        const result = await client.task(gather, { table: "rows" }, { items });

        expect(result.input).toEqual({ table: "rows" });
        expect(result.items).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
        expect(state.isReturned).toBe(true);
      });

      it("may be of every type that calls carry, undefined and line breaks among them", async () => {
        const values = [
          undefined,
          null,
          "a\nb\r\n",
          "",
          new Date(0),
          new Map([[1, new Set(["x"])]]),
          10n,
          [/x/gi],
          "ü€😀",
        ];

        await expect(client.task(gather, values, { items: values })).resolves.toEqual({ input: values, items: values });
      });

      it("may be none, and the input nothing", async () => {
        await expect(client.task(gather, undefined, { items: [] })).resolves.toEqual({ input: undefined, items: [] });
      });

      it("are validated and transformed one by one, and one that does not fit is named", async () => {
        const items = [{ at: "2026-01-01T00:00:00.000Z" }];
        await expect(client.task(numbered, undefined, { items })).resolves.toEqual([Date.UTC(2026, 0, 1)]);

        // What a caller without types may send.
        const unfit = [...items, { at: 1 }] as typeof items;
        await expect(client.task(numbered, undefined, { items: unfit })).rejects.toMatchObject({
          code: "VALIDATION_ERROR",
          data: { subject: "Task input item", id: numbered.id, issues: [{ path: ["at"] }] },
        });
      });

      it("what they fail with is what the call fails with, and the task is aborted", async () => {
        const failure = new Error("the source broke");
        async function* items() {
          yield 1;
          await until(() => noted.includes("item 1"));
          throw failure;
        }

        await expect(client.task(reading, undefined, { items: items() })).rejects.toBe(failure);
        await until(() => noted.includes("aborted"));
        expect(noted).not.toContain("end");
      });

      it.each(["return", "declared", "opaque"] as const)(
        "are ended by return() when the task replies before their end: %s",
        async (how) => {
          const { items, state } = numbersTo(Infinity);
          const call = client.task(early, { after: 3, how }, { items });

          if (how === "return") await expect(call).resolves.toBe(3);
          else if (how === "declared") await expect(call).rejects.toMatchObject({ id: sold.id, data: { count: 3 } });
          else await expect(call).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
          await until(() => state.isReturned);
        },
      );

      it("are ended by return() also while the next one is waited for", async () => {
        const { items, state } = oneThenQuiet();

        await expect(client.task(early, { after: 1, how: "return" }, { items })).resolves.toBe(1);
        await until(() => state.isReturned);
      });

      it("end with the reason of the caller's signal, and the task is aborted", async () => {
        const { items, state } = oneThenQuiet();
        const controller = new AbortController();
        const reason = new Error("enough");
        const call = client.task(reading, undefined, { items, signal: controller.signal });
        await until(() => noted.includes("item 1"));

        controller.abort(reason);

        await expect(call).rejects.toBe(reason);
        await until(() => state.isReturned && noted.includes("aborted"));
      });

      it("go in while items come out", async () => {
        const seen: number[] = [];
        const asked: number[] = [];
        async function* items() {
          for (let item = 1; item <= 3; item += 1) {
            // Each waits for the answer to the one before: the two directions do not wait for each other's end.
            await until(() => seen.length === item - 1);
            asked.push(item);
            yield item;
          }
        }
        const stream = client.stream(duplex, {}, { items: items() });
        for await (const { item } of stream) {
          seen.push(item);
        }

        expect(seen).toEqual([1, 2, 3]);
        expect(await stream.result).toBe(3);
      });

      it("are ended by return() when the loop over what comes out is left, and when the task ends it", async () => {
        const left = numbersTo(Infinity);
        for await (const item of client.stream(duplex, {}, { items: left.items })) if (item !== undefined) break;
        await until(() => left.state.isReturned);

        const ended = numbersTo(Infinity);
        const stream = client.stream(duplex, { upTo: 2 }, { items: ended.items });
        await expect(collect(stream)).resolves.toHaveLength(2);
        await until(() => ended.state.isReturned);
        expect(await stream.result).toBe(2);
      });

      it("fail the loop over what comes out with what they fail with", async () => {
        const failure = new Error("the source broke");

        await expect(collect(client.stream(duplex, {}, { items: numbersTo(2, failure).items }))).rejects.toBe(failure);
      });

      it("are refused where the task takes none, with what it is", async () => {
        const { items, state } = oneThenQuiet();

        await expect(client.task(plain.id, undefined, { items })).rejects.toMatchObject({ code: "ITEMS_NOT_TAKEN" });
        await until(() => state.isReturned);
        await expect(client.task(gather.id, {})).rejects.toMatchObject({
          code: "ITEMS_MISSING",
          message: expect.stringContaining("{ items }") as string,
        });
      });

      it("one of more than 1 MiB ends the call before it is sent", async () => {
        const { state } = numbersTo(0);
        async function* items() {
          try {
            yield "x".repeat(1_048_576);
          } finally {
            state.isReturned = true;
          }
        }
        await expect(client.task(gather, undefined, { items: items() })).rejects.toMatchObject({
          code: "ITEM_TOO_LARGE",
        });
        await until(() => state.isReturned);
      });

      it("what cannot be iterated, or carries files, is a mistake that is named", async () => {
        for (const items of ["text", 1, {}]) {
          await expect(client.task(gather.id, undefined, { items: items as never })).rejects.toThrow(/async iterable/);
        }
      });

      it("are asked for only as far as the task reads, beyond what buffers hold", async () => {
        let bytes = 0;
        async function* items() {
          for (;;) {
            bytes += chunkBytes;
            // A compressed one would leave buffers empty.
            yield incompressibleText(chunkBytes);
          }
        }
        gate.opened = createDeferred();
        const controller = new AbortController();
        const call = client.task(slow, undefined, { items: items(), signal: controller.signal });
        await until(() => bytes > 0);
        await untilSettled(() => bytes);

        expect(bytes).toBeLessThan(row.waitingBytes ?? 8 * MiB);
        controller.abort(new Error("enough"));
        await expect(soon(call)).rejects.toThrow("enough");
        gate.opened.resolve();
      });
    },
  );

  describeRows(
    "contexts of items of a caller",
    carriers.filter(({ can }) => can.items === "both ways" && can.contexts),
    (row) => {
      it("are those of the call, on both sides and in both directions", async () => {
        await using carrier = await openCarrier(row, { also: () => [duplex, visitor] });
        async function* items() {
          for (let item = 1; item <= 3; item += 1) {
            await new Promise(setImmediate);
            yield visitor.use().name.length;
          }
        }

        const given = await visitor.provide({ name: "Ada" }, () =>
          collect(carrier.client.stream(duplex, { isNamed: true }, { items: items() })),
        );

        expect(given).toEqual(Array.from({ length: 3 }, () => ({ item: 3, name: "Ada" })));
      });
    },
  );

  describeRows(
    "carriers that send no items",
    carriers.filter(({ can }) => can.items !== "both ways"),
    (row) => {
      it("say so before anything is sent, and end the items", async () => {
        await using carrier = await openCarrier(row, { also: () => [gather, duplex, sold, visitor] });
        const { client } = carrier;
        noted.splice(0);

        await expect(client.task(gather, 1, { items: [1] })).rejects.toMatchObject({ code: "ITEMS_UNSUPPORTED" });
        await expect(collect(client.stream(duplex, {}, { items: [1] }))).rejects.toMatchObject({
          code: "ITEMS_UNSUPPORTED",
        });
      });
    },
  );
}
