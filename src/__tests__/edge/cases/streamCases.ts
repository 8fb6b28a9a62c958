import { randomUUID } from "node:crypto";
import { outOfStock, tasks, tenant } from "../edgeApp";
import { itemsType, type EdgeUnderTest } from "./edgeUnderTest";

/** Replies of bytes and of items. */
export function streamCases({ title, post, call, untilMarked, withContexts, read, leave }: EdgeUnderTest): void {
  withContexts(title("streams what a generator yields, in the contexts of its call"), async () => {
    const header = JSON.stringify({ [tenant.id]: JSON.stringify({ name: "acme" }) });
    const reply = await post(tasks.countdown.id, '{"input":3}', { "x-runner-context": header });

    expect([reply.headers.get("content-type"), await reply.text()]).toEqual([
      "application/octet-stream",
      "3 acme;2 acme;1 acme;",
    ]);
  });

  it(title("ends a generator whose reader has left"), async () => {
    const key = `left ${randomUUID()}`;

    await leave(tasks.endless.id, key);

    await untilMarked(key);
  });

  it(title("sends a stream that fails before its first piece as the failure, and breaks off a later one"), async () => {
    expect((await call(tasks.failsFirst.id, null)).error).toMatchObject({ id: outOfStock.id });

    const reply = await post(tasks.failsLater.id, "{}");
    await expect(reply.text()).rejects.toThrow();
  });

  it(title("sends the items of a streamed task in lines, and what it returned in the last"), async () => {
    const when = (id: number) => `{"__type":"Date","value":"1970-01-01T00:00:00.00${id}Z"}`;

    expect(await read(tasks.rows.id, { from: 1, to: 2 })).toEqual({
      status: 200,
      type: itemsType,
      text: `{"item":{"id":1,"at":${when(1)}}}\n{"item":{"id":2,"at":${when(2)}}}\n{"ok":true,"result":{"total":2}}\n`,
    });
  });

  withContexts(title("runs a streamed task in the contexts of its call"), async () => {
    const headers = { "x-runner-context": JSON.stringify({ [tenant.id]: JSON.stringify({ name: "acme" }) }) };

    expect((await read(tasks.tenants.id, 2, headers)).text).toBe('{"item":"acme"}\n{"item":"acme"}\n{"ok":true}\n');
  });

  it(
    title("sends a declared error of a streamed task as the reply, or behind its items as the last line"),
    async () => {
      const failure = expect.objectContaining({ id: outOfStock.id });
      const first = await read(tasks.rowsUntilEmpty.id, 0);
      const later = await read(tasks.rowsUntilEmpty.id, 1);

      expect([first.type, JSON.parse(first.text)]).toEqual([
        "application/json; charset=utf-8",
        { ok: false, error: failure },
      ]);
      expect(
        later.text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual([{ item: { id: 1 } }, { ok: false, error: failure }]);
    },
  );

  it(title("refuses to run a streamed task for a caller that takes one result"), async () => {
    expect(await call(tasks.rows.id, { from: 1, to: 2 })).toMatchObject({
      status: 406,
      error: { code: "NOT_ACCEPTABLE" },
    });
  });

  it(title("ends a streamed task whose reader has left"), async () => {
    const key = `items left ${randomUUID()}`;

    await leave(tasks.endlessRows.id, key, { accept: itemsType });

    await untilMarked(key);
  });

  it(title("takes items beside an input while they arrive, and refuses those that break off"), async () => {
    const at = (id: number) => `{"__type":"Date","value":"1970-01-01T00:00:00.00${id}Z"}`;
    const line = (id: number) => `{"item":{"id":${id},"at":${at(id)}}}\n`;
    const sendLines = async (lines: readonly string[]) => {
      const pieces = lines.map((text) => new TextEncoder().encode(text)).values();
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const { done, value } = pieces.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
      });
      const reply = await post(tasks.collect.id, body, { "content-type": itemsType }, { duplex: "half" });
      return { status: reply.status, ...((await reply.json()) as { result?: unknown; error?: { code: string } }) };
    };

    expect(await sendLines(['{"input":"here"}\n', line(1), line(2), '{"ok":true}\n'])).toMatchObject({
      status: 200,
      result: { from: "here", ids: [2, 4] },
    });
    expect(await sendLines(['{"input":"here"}\n', line(1)])).toMatchObject({
      status: 400,
      error: { code: "STREAM_LOST" },
    });
    expect(await call(tasks.collect.id, "here")).toMatchObject({ status: 415, error: { code: "ITEMS_MISSING" } });
  });
}
