import { EventManager, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";

const changed = r.event("changed").parallel().build();

/** A hook of `changed` that notes when it starts and ends. */
const working = (id: string, order: number, log: string[], work: () => Promise<unknown> = async () => {}) =>
  r
    .hook(id)
    .on(changed)
    .order(order)
    .run(async () => {
      log.push(`${id} starts`);
      await work();
      log.push(`${id} ends`);
    })
    .build();

it("a parallel event runs listeners of one order together, and the next order after them", async () => {
  const log: string[] = [];
  const [gateA, gateB] = [createDeferred(), createDeferred()];
  const hooks = [
    working("a", 0, log, () => gateA.promise),
    working("b", 0, log, () => gateB.promise),
    working("c", 1, log),
  ];
  await using app = await run(appOf(changed, ...hooks));

  const emission = app.emitEvent(changed);
  await new Promise(setImmediate);
  expect(log).toEqual(["a starts", "b starts"]);
  gateB.resolve();
  await new Promise(setImmediate);
  gateA.resolve();
  await emission;

  expect(log).toEqual(["a starts", "b starts", "b ends", "a ends", "c starts", "c ends"]);
});

it("a parallel event stops between batches, not within one", async () => {
  const log: string[] = [];
  const stopping = r
    .hook("stopping")
    .on(changed)
    .run(async (emission) => emission.stopPropagation())
    .build();
  await using app = await run(appOf(changed, stopping, working("same", 0, log), working("next", 1, log)));

  await app.emitEvent(changed);

  expect(log).toEqual(["same starts", "same ends"]);
});

it("a parallel event lets a batch settle, then rejects with its one failure, annotated, and runs no later batch", async () => {
  const log: string[] = [];
  const failure = new Error("boom");
  const gate = createDeferred();
  const hooks = [
    working("failing", 0, log, () => Promise.reject(failure)),
    working("slow", 0, log, () => gate.promise),
    working("later", 1, log),
  ];
  await using app = await run(appOf(changed, ...hooks));

  const emission = rejectionOf(app.emitEvent(changed));
  await new Promise(setImmediate);
  gate.resolve();

  expect(await emission).toBe(failure);
  expect(failure).toMatchObject({ listenerId: "failing", listenerOrder: 0 });
  expect(log).toEqual(["failing starts", "slow starts", "slow ends"]);
});

it("a parallel event rejects with all failures of a batch, in the order of their listeners", async () => {
  const gate = createDeferred();
  const hooks = [
    working("slow", 5, [], async () => {
      await gate.promise;
      throw new Error("slow boom");
    }),
    working("fast", 5, [], () => Promise.reject("fast boom")),
  ];
  await using app = await run(appOf(changed, ...hooks));

  const emission = rejectionOf(app.emitEvent(changed));
  await new Promise(setImmediate);
  gate.resolve();

  const { name, message, errors } = (await emission) as AggregateError;
  expect([name, message.split("\n")]).toEqual([
    "AggregateError",
    [
      "2 listeners failed in parallel batch",
      "  slow boom",
      '    in hook "slow" on event "changed"',
      "  fast boom",
      '    in hook "fast" on event "changed"',
    ],
  ]);
  expect(errors).toMatchObject([
    { message: expect.stringMatching(/^slow boom/) as unknown, listenerId: "slow", listenerOrder: 5 },
    { message: expect.stringMatching(/^fast boom/) as unknown, listenerId: "fast", listenerOrder: 5 },
  ]);
});

it("a parallel event keeps annotations that a failure brings along", async () => {
  const failure = Object.assign(new Error("boom"), { listenerId: "somebody else" });
  await using app = await run(
    appOf(
      changed,
      working("failing", 3, [], () => Promise.reject(failure)),
    ),
  );

  expect(await rejectionOf(app.emitEvent(changed))).toMatchObject({ listenerId: "somebody else", listenerOrder: 3 });
});

it("a parallel event skips listeners by filter and by source", async () => {
  const log: string[] = [];
  const events = new EventManager();
  events.addListener(changed, () => log.push("filtered"), { filter: () => false });
  events.addListener(changed, () => log.push("mine"), { id: "me" });
  events.addListener(changed, () => log.push("other"));

  await events.emit(changed, undefined, "me");

  expect(log).toEqual(["other"]);
});
