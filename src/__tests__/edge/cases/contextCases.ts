import { randomUUID } from "node:crypto";
import { tasks, tenant } from "../edgeApp";
import { type EdgeUnderTest } from "./edgeUnderTest";

/** What a task finds around it, and what hosts without async contexts do instead. */
export function contextCases({ title, post, call, untilMarked, withContexts, limits }: EdgeUnderTest): void {
  withContexts(title("provides the contexts of the caller, and its principal, after each await"), async () => {
    const header = JSON.stringify({ [tenant.id]: JSON.stringify({ name: "acme" }) });

    expect((await call(tasks.contexts.id, null, { "x-runner-context": header })).result).toEqual({
      tenant: "acme",
      user: "ada",
    });
  });

  withContexts(title("shows a task the request it serves"), async () => {
    const { result } = await call(`${tasks.request.id}?a=1`, null, {
      "x-note": "hello",
      "x-runner-request-id": "r-2",
    });

    expect(result).toEqual({
      method: "POST",
      path: `/__runner/task/${tasks.request.id}?a=1`,
      note: "hello",
      requestId: "r-2",
      hasAddress: limits.withoutAddress !== true,
    });
  });

  withContexts(title("sends the response that a task makes, while the task goes on"), async () => {
    const key = `responded ${randomUUID()}`;
    const reply = await post(tasks.respond.id, JSON.stringify({ input: key }));

    expect([
      reply.status,
      reply.headers.get("x-own"),
      reply.headers.get("content-type"),
      reply.headers.get("x-frame-options"),
      await reply.text(),
    ]).toEqual([418, "1", "text/plain", "DENY", `own ${key}`]);
    await untilMarked(key);
  });

  withContexts(title("goes on with work that outlives the reply"), async () => {
    const key = `later ${randomUUID()}`;

    expect((await call(tasks.later.id, key)).result).toBe("now");
    await untilMarked(key);
  });

  if (limits.withoutContexts === true) {
    it.each([tasks.contexts, tasks.request, tasks.respond, tasks.later])(
      title("fails $id, which asks for a context, and says nothing of why"),
      async ({ id }) => {
        expect(await call(id, null)).toMatchObject({ status: 500, error: { code: "INTERNAL_ERROR" } });
      },
    );

    it(title("breaks nothing off but the call when a stream asks for a context"), async () => {
      expect(await call(tasks.countdown.id, 3)).toMatchObject({ status: 500, error: { code: "INTERNAL_ERROR" } });
      expect(await call(tasks.add.id, { a: 1, b: 1 })).toMatchObject({ status: 200, result: 2 });
    });

    it(title("refuses raw bytes, which no task could get at"), async () => {
      const reply = await post(tasks.hashBody.id, "bytes", { "content-type": "application/octet-stream" });

      expect([reply.status, await reply.json()]).toEqual([
        501,
        expect.objectContaining({ error: expect.objectContaining({ code: "OCTET_UNSUPPORTED" }) }),
      ]);
    });
  }
}
