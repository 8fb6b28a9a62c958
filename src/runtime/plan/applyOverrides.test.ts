import { createResource } from "../../define/createResource";
import { r } from "../../define/r";
import { symbolFramework } from "../../lib/symbols";
import { applyOverrides } from "./applyOverrides";
import { collect } from "./collect";
import { createProblems } from "./problems";
import type { RegisterableItems } from "../../define/resource";
import type { OverridableElements } from "../../define/resource";

/** The registrations of a root that registers and overrides these. */
function apply(items: readonly RegisterableItems[], overrides: readonly OverridableElements[]) {
  const problems = createProblems();
  const root = r.resource("app").register(items).overrides(overrides).build();
  const { registrations, requests } = applyOverrides(collect(root, [], problems), problems);
  return { registrations, requests, problems: problems.errors };
}

const task = r
  .task("task")
  .run(async () => 1)
  .build();

describe("applyOverrides", () => {
  it("applyOverrides changes nothing without overrides", () => {
    const problems = createProblems();
    const registrations = collect(r.resource("app").register(task).build(), [], problems);

    expect(applyOverrides(registrations, problems)).toEqual({ registrations, requests: [] });
  });

  it("applyOverrides puts the override where its base stood, with its own dependencies", () => {
    const value = r.resource("value").build();
    const replaced = r.override(task).dependencies({ value }).build();

    const { registrations } = apply([value, task, r.event("event").build()], [replaced]);

    expect([...registrations.keys()]).toEqual(["value", "task", "event", "app"]);
    expect(registrations.get("task")).toMatchObject({ kind: "task", owner: "app", dependencies: { value } });
    expect(registrations.get("task")?.definition).toBe(replaced);
  });

  it("applyOverrides adds what a resource brings in front of it, under its name", () => {
    const parent = r.resource("parent").register(r.resource("kept").build()).build();
    const brought = r.resource("brought").register(r.resource("below").build()).build();

    const { registrations } = apply([task, parent], [r.override(parent).register(brought).build()]);

    expect([...registrations.keys()]).toEqual(["task", "brought", "below", "parent", "kept", "app"]);
    expect(registrations.get("brought")?.owner).toBe("parent");
  });

  it("applyOverrides adds framework definitions that only the override refers to", () => {
    const provided = createResource({ id: "globals.provided", [symbolFramework]: { value: () => 1 } }, () => "unknown");
    const replaced = r.override(task).dependencies({ provided }).build();

    const { registrations, problems } = apply([task], [replaced]);

    expect(registrations.get("globals.provided")).toMatchObject({ kind: "resource", owner: undefined });
    expect(problems).toEqual([]);
  });

  it("applyOverrides lists requests from the weakest to the strongest", () => {
    const named = (title: string) => r.override(task).meta({ title }).build();
    const inner = r
      .resource("inner")
      .register(task)
      .overrides([named("inner")])
      .build();
    const sibling = r
      .resource("sibling")
      .overrides([named("sibling")])
      .build();

    const { requests, registrations } = apply([inner, sibling], [named("root")]);

    expect(requests.map(({ source }) => source)).toEqual(["inner", "sibling", "app"]);
    expect(registrations.get("task")?.definition.meta).toEqual({ title: "root" });
  });
});
