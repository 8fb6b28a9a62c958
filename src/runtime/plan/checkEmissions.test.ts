import type { RegisterableItems } from "../../define/resource";
import type { DependencyMap } from "../../lib/injectable";
import { r } from "../../define/r";
import { checkEmissions, findReentrantEvents } from "./checkEmissions";
import { collect } from "./collect";
import { planBoot } from "./planBoot";
import { createProblems } from "./problems";

const [a, b, c] = [r.event("a").build(), r.event("b").build(), r.event("c").build()];
const hook = (id: string, on: typeof a | "*" | (typeof a)[], emits: DependencyMap = {}) =>
  r
    .hook(id)
    .on(on)
    .dependencies(emits)
    .run(async () => {})
    .build();

function planOf(items: readonly RegisterableItems[]) {
  const problems = createProblems();
  const registrations = collect(
    r
      .resource("app")
      .register([a, b, c, ...items])
      .build(),
    [],
    problems,
  );
  return planBoot(registrations, "app", () => false, problems);
}

const emitter = r.resource("emitter").build();
const reentrant = (...items: RegisterableItems[]) => [...findReentrantEvents(planOf(items), (id) => id === "emitter")];

describe("findReentrantEvents", () => {
  it("findReentrantEvents finds none without hooks that emit", () => {
    expect(reentrant(hook("onA", a), hook("onAll", "*"))).toEqual([]);
  });

  it("findReentrantEvents finds the events on a way back to themselves, and no others", () => {
    expect(reentrant(hook("onA", a, { b }), hook("onB", b, { a }), hook("onC", c, { a }))).toEqual(["a", "b"]);
  });

  it("findReentrantEvents follows tasks, their middleware and resources", () => {
    const middleware = r.middleware
      .task("middleware")
      .dependencies({ a })
      .run(async ({ next }) => next())
      .build();
    const task = r
      .task("task")
      .middleware([middleware])
      .run(async () => 1)
      .build();
    const service = r.resource("service").dependencies({ task }).build();

    expect(reentrant(middleware, task, service, hook("onA", a, { service }))).toEqual(["a"]);
  });

  it("findReentrantEvents takes a hook with the event manager at hand to emit anything", () => {
    expect(reentrant(emitter, hook("onA", a, { emitter }))).toEqual(["a"]);
    expect(reentrant(emitter, hook("onA", a, { emitter }), hook("onB", b, { a }))).toEqual(["a", "b"]);
    expect(reentrant(emitter, hook("onAll", "*", { emitter }))).toEqual(["a", "b", "c"]);
  });

  it("findReentrantEvents counts a wildcard hook for every event", () => {
    expect(reentrant(hook("onAll", "*", { a }))).toEqual(["a"]);
  });
});

it("checkEmissions looks at every definition once to find re-entrant events, however many hooks reach it", () => {
  const first = r
    .task("task0")
    .dependencies({ a })
    .run(async () => 0)
    .build();
  const tasks = [first];
  for (let index = 1; index < 50; index += 1) {
    const previous = tasks[index - 1] as typeof first;
    tasks.push(
      r
        .task(`task${index}`)
        .dependencies({ previous })
        .run(async () => index)
        .build(),
    );
  }
  const last = tasks.at(-1) as typeof first;
  const hooks = Array.from({ length: 50 }, (_, index) => hook(`hook${index}`, index % 2 === 0 ? a : "*", { last }));
  const plan = planOf([...tasks, ...hooks]);
  const asked: string[] = [];
  const edges = (id: string) => {
    asked.push(id);
    return plan.edges(id);
  };

  const events = findReentrantEvents({ ...plan, edges }, () => false);

  expect([...events]).toEqual(["a"]);
  expect(asked.toSorted()).toEqual([...tasks, ...hooks].map(({ id }) => id).toSorted());
});

describe("checkEmissions", () => {
  const cyclesOf = (...items: RegisterableItems[]) => {
    const problems = createProblems();
    checkEmissions(planOf(items).registrations, problems);
    return problems.errors.map((error) => (error as Error & { data: { cycles: string[] } }).data.cycles);
  };

  it("checkEmissions reports each cycle of direct emissions once", () => {
    expect(cyclesOf(hook("onA", a, { b }), hook("onB", b, { c }), hook("onC", c, { a }))).toEqual([
      ["a -> b -> c -> a"],
    ]);
  });

  it("checkEmissions counts every event a hook listens to", () => {
    expect(cyclesOf(hook("onAB", [a, b], { c }), hook("onC", c, { b }))).toEqual([["c -> b -> c"]]);
  });

  it("checkEmissions leaves wildcards, self edges and emissions through tasks to the run", () => {
    const task = r
      .task("task")
      .dependencies({ a })
      .run(async () => 1)
      .build();

    expect(cyclesOf(task, hook("onAll", "*", { a }), hook("onA", a, { a }), hook("onB", b, { task }))).toEqual([]);
  });
});
