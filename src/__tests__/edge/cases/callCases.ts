import { edgeToken, outOfStock, renamed, tasks } from "../edgeApp";
import { type EdgeUnderTest } from "./edgeUnderTest";

/** Calls of text: what is asked, refused and answered. */
export function callCases({ title, send, post, call }: EdgeUnderTest): void {
  it(title("runs a task and replies with its result"), async () => {
    const reply = await post(tasks.add.id, '{"input":{"a":19,"b":23}}');

    expect([reply.status, reply.headers.get("content-type"), await reply.json()]).toEqual([
      200,
      "application/json; charset=utf-8",
      { ok: true, result: 42 },
    ]);
  });

  it(title("has the headers of every reply, and keeps the id of the request"), async () => {
    const reply = await post(tasks.add.id, '{"input":{"a":1,"b":1}}', { "x-runner-request-id": "r-1" });
    await reply.text();

    const names = ["x-runner-request-id", "x-content-type-options", "x-frame-options", "access-control-allow-origin"];
    expect(names.map((name) => reply.headers.get(name))).toEqual(["r-1", "nosniff", "DENY", "*"]);
  });

  it(title("gives requests ids of their own"), async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const reply = await post(tasks.echo.id, "{}");
        await reply.text();
        return reply.headers.get("x-runner-request-id");
      }),
    );

    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it(title("carries dates and maps both ways"), async () => {
    const input = {
      when: { __type: "Date", value: "1970-01-01T00:00:00.000Z" },
      map: { __type: "Map", value: [[1, 2]] },
    };

    expect((await call(tasks.echo.id, input)).result).toEqual(input);
  });

  it(title("tells callers what is wrong with an input"), async () => {
    const { status, error } = await call(tasks.add.id, { a: "x" });

    expect([status, error]).toEqual([
      400,
      expect.objectContaining({ code: "VALIDATION_ERROR", data: expect.objectContaining({ id: tasks.add.id }) }),
    ]);
  });

  it(title("sends declared errors with their data, and keeps others to itself"), async () => {
    expect((await call(tasks.outOfStock.id, "tea")).error).toMatchObject({ id: outOfStock.id, data: { sku: "tea" } });
    expect(await call(tasks.broken.id, null)).toEqual({
      status: 500,
      ok: false,
      error: { message: "Internal Error", code: "INTERNAL_ERROR" },
    });
  });

  it(title("answers the calls of a batch, each by itself"), async () => {
    const reply = await send("/__runner/batch", {
      method: "POST",
      headers: { "x-runner-token": edgeToken, "content-type": "application/x-runner-batch" },
      body: [
        `0 /task/${tasks.add.id} {} {"input":{"a":1,"b":2}}`,
        `1 /task/${tasks.broken.id} {} {}`,
        `2 /task/nope {} {}`,
        `3 /task/${tasks.add.id} {} {"input":{"a":19,"b":23}}`,
      ].join("\n"),
    });
    const lines = (await reply.text()).trimEnd().split("\n");

    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "application/x-runner-batch"]);
    expect(lines.map((line) => line.slice(0, 5)).sort()).toEqual(["0 200", "1 500", "2 403", "3 200"]);
    expect(lines).toContain('3 200 {"ok":true,"result":42}');
  });

  it(title("refuses a batch that makes no sense as a whole"), async () => {
    const reply = await send("/__runner/batch", {
      method: "POST",
      headers: { "x-runner-token": edgeToken, "content-type": "application/x-runner-batch" },
      body: `0 /task/${tasks.add.id} {} {}\n0 /task/${tasks.add.id} {} {}`,
    });

    expect([reply.status, await reply.json()]).toEqual([
      400,
      { ok: false, error: { message: "Invalid batch: 0 stands before two calls.", code: "INVALID_BATCH" } },
    ]);
  });

  it(title("refuses text that is no JSON"), async () => {
    const reply = await post(tasks.echo.id, "{nope");

    expect([reply.status, await reply.json()]).toEqual([
      400,
      { ok: false, error: { message: "Invalid JSON body", code: "INVALID_JSON" } },
    ]);
  });

  it.each(["GET", "POST"])(title("lists what it serves by %s"), async (method) => {
    const reply = await send("/__runner/discovery", { method, headers: { "x-runner-token": edgeToken } });
    const { result } = (await reply.json()) as { result: { allowList: { tasks: string[]; events: string[] } } };

    expect(result.allowList.tasks).toContain(tasks.add.id);
    expect(result.allowList.tasks).not.toContain(tasks.hidden.id);
    expect(result.allowList.events).toEqual([renamed.id]);
  });

  it.each([
    ["without a token", { "x-runner-token": "" }],
    ["with a wrong one", { "x-runner-token": "edge-secre" }],
    ["with one that arrived twice", { "x-runner-token": `${edgeToken}, ${edgeToken}` }],
  ])(title("refuses callers %s"), async (_what, headers) => {
    expect((await call(tasks.add.id, { a: 1, b: 1 }, headers)).status).toBe(401);
  });

  it.each([
    ["/__runner/task/edge.hidden", "POST", 403],
    ["/__runner/task/edge.unknown", "POST", 403],
    ["/__runner/nothing", "POST", 404],
    ["/__runner/task/edge.add", "PUT", 405],
  ])(title("refuses %s by %s with %i"), async (path, method, status) => {
    const reply = await send(path, { method, headers: { "x-runner-token": edgeToken }, body: "{}" });
    await reply.text();

    expect(reply.status).toBe(status);
    if (status === 405) expect(reply.headers.get("allow")).toBe("POST, OPTIONS");
  });

  it.each(["edge%2Fslashed", "edge%2fslashed", "edge/slashed"])(title("takes %s for one id"), async (id) => {
    expect((await call(id, null)).result).toBe("slashed");
  });

  it(title("answers what browsers ask before a call"), async () => {
    const reply = await send("/__runner/task/edge.add", {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-headers": "x-runner-token" },
    });
    await reply.text();

    const names = ["access-control-allow-methods", "access-control-allow-headers", "access-control-allow-origin"];
    expect([reply.status, ...names.map((name) => reply.headers.get(name))]).toEqual([
      204,
      "POST, OPTIONS",
      "x-runner-token",
      "*",
    ]);
  });
}
