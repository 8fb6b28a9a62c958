import { canonicalPath, createRouter, unknownTarget, originForm, pathOf } from "./router";

const add = { kind: "task", id: "app.add" };

describe("createRouter", () => {
  const route = createRouter("/__runner");

  it.each<[string, unknown]>([
    ["/__runner/task/app.add", add],
    ["/__runner/task/app.add?x=1", add],
    ["/__runner/task/app.add#x", add],
    ["http://host/__runner/task/app.add", add],
    ["/__runner//task//app.add/", add],
    ["/__runner/task/app%2Fx", { kind: "task", id: "app/x" }],
    ["/__runner/event/app/x", { kind: "event", id: "app/x" }],
    ["/__runner/discovery/more", { kind: "discovery", id: "" }],
    ["/__runner", unknownTarget],
    ["/__runner?x", unknownTarget],
    ["/__runner/task", unknownTarget],
    ["/__runner/task/%E0%A4%A", unknownTarget],
    ["/__runnerX/task/app.add", undefined],
    ["/other", undefined],
    ["*", undefined],
    ["", undefined],
  ])("createRouter takes %j for %j", (target, expected) => {
    expect(route(target)).toEqual(expected);
  });

  it.each(["/%C3%BC/a%3Ab", "/%c3%bc/a:b", "/%C3%BC/%61%3ab"])(
    "createRouter takes %s for one and the same base path",
    (path) => {
      const spelled = createRouter(canonicalPath("/ü/a:b") as string);

      expect(spelled(`${path}/task/app%2Fx`)).toEqual({ kind: "task", id: "app/x" });
      expect([spelled(`${path}x/task/app.add`), spelled("/%ff/a:b/task/app.add")]).toEqual([undefined, undefined]);
    },
  );

  it("createRouter serves everything below the root", () => {
    const root = createRouter("/");

    expect([root("/task/app.add"), root("/"), root("//task/app.add")]).toEqual([add, unknownTarget, add]);
  });
});

it.each([
  ["/a?b", "/a"],
  ["http://host", "/"],
  ["http://host?x", ""],
  ["https://host:1/a/b?c", "/a/b"],
])("pathOf(%j) is %j", (target, path) => {
  expect(pathOf(target)).toBe(path);
});

it("originForm keeps the query of an absolute target", () => {
  expect(originForm("http://evil.test/a?b=1")).toBe("/a?b=1");
});
