import type { definitions as types, HttpClient } from "../../node";
import {
  collect,
  contextual,
  echo,
  endless,
  failing,
  numbers,
  plain,
  seen,
  sold,
  visitor,
} from "../integration/streams/streamDefinitions";
import { describeRows } from "./carriers";

type StreamClient = Pick<HttpClient, "task" | "stream" | "close">;

/** A way for items to travel. */
export interface StreamRow {
  readonly name: string;
  /** Serves the definitions of `streamDefinitions`, and connects a client with `streamOptions`. */
  readonly open: () => Promise<{ readonly client: StreamClient; readonly served: AsyncDisposable }>;
}

/** What the clients of all rows have in common. */
export const streamOptions = {
  contexts: [visitor],
  errorRegistry: new Map<string, types.IErrorHelper<any>>([[sold.id, sold]]),
};

/** What every carrier of items keeps: their order, values and result, failures, cancellation and contexts. */
export function describeStreams(rows: readonly StreamRow[]): void {
  describeRows("items over every carrier", rows, (row) => {
    let opened: Awaited<ReturnType<StreamRow["open"]>>;
    let client: StreamClient;
    beforeAll(async () => {
      opened = await row.open();
      client = opened.client;
    });
    afterAll(async () => {
      await client.close();
      await opened.served[Symbol.asyncDispose]();
    });
    beforeEach(() => void seen.splice(0));

    it("come in order, and so does what the task returns", async () => {
      const stream = client.stream(numbers, { from: 1, to: 2000 });

      const items = await collect(stream);

      expect(items).toHaveLength(2000);
      expect(items.at(-1)).toBe(2000);
      expect(await stream.result).toEqual({ total: 2001000 });
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
        { deep: [/x/gi] },
        "ü€😀",
      ];

      const stream = client.stream(echo, values);

      expect(await collect(stream)).toEqual(values);
      expect(await stream.result).toEqual(values);
    });

    it("end the task when the loop is left", async () => {
      for await (const count of client.stream(endless)) if (count === 3) break;

      await until(() => seen.length === 2);
      expect(seen).toEqual(["aborted", "finally"]);
    });

    it("end with the reason of the caller's signal, and so does the task", async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const reading = (async () => {
        for await (const count of client.stream(endless, undefined, { signal: controller.signal })) {
          if (count === 3) controller.abort(reason);
        }
      })();

      await expect(reading).rejects.toBe(reason);
      await until(() => seen.length === 2);
    });

    it.each([0, 3])("end with the task's declared error after %i items", async (after) => {
      const items: unknown[] = [];
      const reading = (async () => {
        for await (const item of client.stream(failing, { after, how: "declared" })) items.push(item);
      })();

      await expect(reading).rejects.toMatchObject({ id: sold.id, data: { count: after } });
      expect(items).toHaveLength(after);
    });

    it.each(["opaque", "unwritable"] as const)(
      "end with an error that tells nothing of the inside: %s",
      async (how) => {
        const reading = collect(client.stream(failing, { after: 2, how }));

        await expect(reading).rejects.toMatchObject({
          code: "INTERNAL_ERROR",
          message: expect.stringMatching(/^Internal Error/) as string,
        });
      },
    );

    it("see the contexts of their call after each await", async () => {
      const stream = visitor.provide({ name: "Ada" }, () => client.stream(contextual));

      expect(await collect(stream)).toEqual(Array.from({ length: 6 }, () => "Ada"));
    });

    it("are refused to callers that ask for no items, with the fix", async () => {
      await expect(client.task(numbers.id, { from: 1, to: 2 })).rejects.toMatchObject({
        code: "NOT_ACCEPTABLE",
        message: expect.stringContaining("client.stream()") as string,
      });
    });

    it("are missed with NOT_A_STREAM where the task does not stream", async () => {
      await expect(collect(client.stream(plain.id))).rejects.toMatchObject({ code: "NOT_A_STREAM" });
    });
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
