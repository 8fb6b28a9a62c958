import type { RegisterableItems } from "../../define/resource";
import { r } from "../../define/r";
import type { IResource } from "../../define/resource";
import { collect } from "./collect";
import { planBoot, type InitFirst } from "./planBoot";
import { createProblems } from "./problems";

/** The plan of a root that registers these. */
function plan(items: readonly RegisterableItems[], initFirst: InitFirst = () => false) {
  const problems = createProblems();
  const root = r.resource("app").register(items).build();
  const { order } = planBoot(collect(root, [], problems), "app", initFirst, problems);
  return { order, problems: problems.errors.map(({ message }) => message.split("\n")[0]) };
}

const resource = (id: string, ...needs: IResource<any, any>[]) =>
  r
    .resource(id)
    .dependencies(Object.fromEntries(needs.map((each) => [each.id, each])))
    .build();

describe("planBoot", () => {
  it("planBoot puts what is needed first, and keeps container order otherwise", () => {
    const [a, b] = [resource("a"), resource("b")];

    expect(plan([resource("needsB", b), a, b, resource("needsA", a)]).order).toEqual([
      "b",
      "a",
      "needsB",
      "needsA",
      "app",
    ]);
  });

  it("planBoot goes through resource middleware, task middleware, hooks, what resources need, tasks, resources, root", () => {
    const needed = resource("needed");
    const items = [
      resource("other"),
      resource("dependent", needed),
      needed,
      r
        .task("task")
        .run(async () => 1)
        .build(),
      r
        .hook("hook")
        .on("*")
        .run(async () => {})
        .build(),
      r.middleware
        .task("taskMiddleware")
        .run(async ({ next }) => next())
        .build(),
      r.middleware
        .resource("resourceMiddleware")
        .run(async ({ next }) => next())
        .build(),
    ];

    expect(plan(items).order).toEqual([
      "resourceMiddleware",
      "taskMiddleware",
      "hook",
      "needed",
      "task",
      "other",
      "dependent",
      "app",
    ]);
  });

  it("planBoot puts resources that initialise first, with what they need, before everything", () => {
    const address = resource("address");
    const tunnel = resource("tunnel", address);
    const hook = r
      .hook("hook")
      .on("*")
      .dependencies({ other: resource("other") })
      .run(async () => {})
      .build();
    const items = [resource("other"), hook, address, tunnel];

    expect(plan(items, ({ id }) => id === "tunnel").order).toEqual(["address", "tunnel", "other", "hook", "app"]);
  });

  it("planBoot puts middleware before what it is attached to, and what it needs before it", () => {
    const clock = resource("clock");
    const everywhere = r.middleware
      .resource("everywhere")
      .everywhere(({ id }) => id === "wrapped")
      .dependencies({ clock })
      .run(async ({ next }) => next())
      .build();

    expect(plan([resource("wrapped"), everywhere, clock]).order).toEqual(["clock", "everywhere", "wrapped", "app"]);
  });

  it("planBoot leaves events, tags, errors and contexts out: there is nothing to initialise", () => {
    const items = [
      r.event("event").build(),
      r.tag("tag").build(),
      r.error("error").build(),
      r.asyncContext("c").build(),
    ];

    expect(plan(items)).toEqual({ order: ["app"], problems: [] });
  });

  it("planBoot reports every missing dependency, and plans on", () => {
    const { order, problems } = plan([resource("a", resource("x")), resource("b", resource("y"))]);

    expect(problems).toEqual([
      "Dependency Resource x not found. Did you forget to register it through a resource?",
      "Dependency Resource y not found. Did you forget to register it through a resource?",
    ]);
    expect(order).toEqual(["a", "b", "app"]);
  });

  it("planBoot takes an id that belongs to another kind as missing", () => {
    const task = r
      .task("same")
      .run(async () => 1)
      .build();

    expect(plan([task, resource("a", resource("same"))]).problems).toEqual([
      "Dependency Resource same not found. Did you forget to register it through a resource?",
    ]);
  });
});
