import {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  r,
  type definitions as types,
  type HttpClient,
  type MixedHttpClient,
} from "../../../node";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { soon } from "../../support/soon";
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
  until,
} from "./itemInputDefinitions";
import { collect, numbers, plain, sold, visitor } from "./streamDefinitions";

type RemoteClient = HttpClient | MixedHttpClient;

const common = {
  auth: { token },
  contexts: [visitor],
  errorRegistry: new Map<string, types.IErrorHelper<any>>([[sold.id, sold]]), // whatever its data
};
const carriers: Record<string, (baseUrl: string) => RemoteClient> = {
  fetch: (baseUrl) => createHttpClient({ baseUrl, ...common }),
  Smart: (baseUrl) => createHttpSmartClient({ baseUrl, ...common }),
  Mixed: (baseUrl) => createHttpMixedClient({ baseUrl, ...common }),
  "Smart, compressed": (baseUrl) =>
    createHttpSmartClient({ baseUrl, ...common, compression: { requests: true, responses: true } }),
};

describe.each(Object.entries(carriers))("items of the caller over %s", (_name, connect) => {
  let exposure: TestExposure;
  let client: RemoteClient;

  beforeAll(async () => {
    exposure = await startExposure([...itemTasks, plain, numbers], { compression: { requests: true } }, [
      sold,
      visitor,
    ]);
    client = connect(`http://127.0.0.1:${exposure.port}/__runner`);
  });
  afterAll(async () => {
    await client.close();
    await exposure[Symbol.asyncDispose]();
  });
  beforeEach(() => void noted.splice(0));

  it("arrive in order behind the input", async () => {
    const { items, state } = numbersTo(3000);

    const result = await client.task(gather, { table: "rows" }, { items });

    expect(result.input).toEqual({ table: "rows" });
    expect(result.items).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
    expect(state.isReturned).toBe(true);
  });

  it("may be of every type that calls carry, undefined and line breaks among them", async () => {
    const values = [undefined, null, "a\nb\r\n", "", new Date(0), new Map([[1, new Set(["x"])]]), 10n, [/x/gi], "ü€😀"];

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
    const stream = visitor.provide({ name: "Ada" }, () => client.stream(duplex, { isNamed: true }, { items: items() }));
    for await (const { item, name } of stream) {
      expect(name).toBe("Ada");
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
    const { items, state } = numbersTo(Infinity);

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
    await expect(client.task(gather, undefined, { items: items() })).rejects.toMatchObject({ code: "ITEM_TOO_LARGE" });
    await until(() => state.isReturned);
  });

  it("what cannot be iterated, or carries files, is a mistake that is named", async () => {
    for (const items of ["text", 1, {}]) {
      await expect(client.task(gather.id, undefined, { items: items as never })).rejects.toThrow(/async iterable/);
    }
  });

  it("are asked for only as far as the task reads, beyond what buffers hold", async () => {
    let bytes = 0;
    const big = "x".repeat(64 * 1024);
    async function* items() {
      for (;;) {
        bytes += big.length;
        yield big;
      }
    }
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = r
      .task("app.slow")
      .itemInput<string>()
      .run(async (_input: undefined, _dependencies, { items: given }) => {
        for await (const item of given) if (item !== "") await held;
      })
      .build();
    await using own = await startExposure([slow], { compression: { requests: true } });
    const other = connect(`http://127.0.0.1:${own.port}/__runner`);
    const controller = new AbortController();
    const call = other.task(slow, undefined, { items: items(), signal: controller.signal });
    let before = -1;
    while (before !== bytes) {
      before = bytes;
      // As long as anything moves, several turns of the loop show it.
      for (let turns = 0; turns < 500; turns += 1) await new Promise(setImmediate);
    }

    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(8 * 1024 * 1024);
    controller.abort(new Error("enough"));
    await expect(soon(call)).rejects.toThrow("enough");
    release();
    await other.close();
  });
});

describe("connections of items of the caller", () => {
  it.each([
    ["Smart", createHttpSmartClient],
    ["Mixed", createHttpMixedClient],
  ])("are none that calls of the %s client wait for", async (_name, create) => {
    await using exposure = await startExposure([...itemTasks, plain]);
    await using client = create({
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      auth: { token },
      maxConnections: 1,
    });
    noted.splice(0);
    const controller = new AbortController();
    const calls = Array.from({ length: 3 }, () =>
      client.task(reading, undefined, { items: oneThenQuiet().items, signal: controller.signal }),
    );
    await until(() => noted.filter((each) => each === "item 1").length === 3);

    await expect(soon(client.task(plain))).resolves.toBe("no items");

    controller.abort();
    await Promise.allSettled(calls);
  });
});
