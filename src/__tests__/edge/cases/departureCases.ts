import { randomUUID } from "node:crypto";
import { tasks } from "../edgeApp";
import { type EdgeUnderTest } from "./edgeUnderTest";

/** Callers that leave, and time that is up. */
export function departureCases({ title, post, call, untilMarked, limits }: EdgeUnderTest): void {
  if (limits.withoutSignal !== true) {
    it(title("aborts the signal of a task whose caller has left before the reply"), async () => {
      const key = `gone ${randomUUID()}`;
      const leaving = new AbortController();
      const reply = post(tasks.waits.id, JSON.stringify({ input: key }), {}, { signal: leaving.signal });
      reply.then((late) => late.text()).catch(() => {});
      await untilMarked(`begun ${key}`);

      leaving.abort();

      await untilMarked(key);
    });
  }

  if (limits.withoutSignal === true) {
    it(title("goes on with a task whose caller has left before the reply, which its host does not say"), async () => {
      const key = `unseen ${randomUUID()}`;
      const leaving = new AbortController();
      const reply = post(tasks.held.id, JSON.stringify({ input: key }), {}, { signal: leaving.signal });
      reply.then((late) => late.text()).catch(() => {});
      await untilMarked(`begun ${key}`);

      leaving.abort();
      await reply.catch(() => {});
      await call(tasks.release.id, key);

      await untilMarked(`ended ${key}`);
      expect((await call(tasks.marked.id, `aborted ${key}`)).result).toBe(false);
    });
  }

  it(title("gives up a call whose time is up"), async () => {
    expect(await call(tasks.never.id, null, { "x-runner-deadline-ms": "20" })).toMatchObject({
      status: 504,
      error: { code: "DEADLINE_EXCEEDED" },
    });
  });
}
