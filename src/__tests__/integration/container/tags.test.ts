import { r, run, tag } from "../../../index";
import { appOf } from "../../support/appOf";

const http = tag<{ method?: string; path?: string }>({ id: "http", config: { method: "GET" } });

describe("a tag", () => {
  it("a tag merges what it is given over its defaults", () => {
    expect(http.config).toEqual({ method: "GET" });
    expect(http.with({ path: "/" }).config).toEqual({ method: "GET", path: "/" });
    expect(http.with({ path: "/" }).with({ method: "PUT" }).config).toEqual({ method: "PUT", path: "/" });
    expect(http.with(null as never).config).toEqual({ method: "GET" });
    expect(r.tag<number>("n").config(1).build().with(2).config).toBe(2);
  });

  it("a tag is found by id, in lists and on definitions, with its config", () => {
    const task = r
      .task("task")
      .tags([http.with({ path: "/a" })])
      .run(async () => 1)
      .build();
    const sameId = tag<{ path?: string }>({ id: "http" });

    expect([http.exists(task), http.extract(task)]).toEqual([true, { method: "GET", path: "/a" }]);
    expect(sameId.extract(task.tags)).toEqual({ method: "GET", path: "/a" });
    expect(http.extract([http])).toEqual({ method: "GET" });
    expect([http.exists([]), http.extract([])]).toEqual([false, undefined]);
  });

  it("a tag tolerates targets without tags", () => {
    expect([http.exists({}), http.extract({})]).toEqual([false, undefined]);
  });

  it("a tag is a full tag when configured", () => {
    const configured = http.with({ path: "/" });

    expect(configured.exists([configured])).toBe(true);
    expect(configured.extract([http.with({ path: "/b" })])).toEqual({ method: "GET", path: "/b" });
    expect(configured.id).toBe("http");
  });

  it("a tag may mark every kind of definition", async () => {
    const seen: string[] = [];
    const ping = r.event("ping").tags([http]).build();
    const definitions = [
      ping,
      r
        .task("task")
        .tags([http])
        .run(async () => 1)
        .build(),
      r.resource("resource").tags([http]).build(),
      r
        .hook("hook")
        .on(ping)
        .tags([http])
        .run(async ({ tags }) => void seen.push(...tags.map(({ id }) => id)))
        .build(),
      r.middleware
        .task("taskMiddleware")
        .tags([http])
        .run(async ({ next }) => next())
        .build(),
      r.middleware
        .resource("resourceMiddleware")
        .tags([http])
        .run(async ({ next }) => next())
        .build(),
    ];
    await using app = await run(appOf(http, ...definitions));

    await app.emitEvent(ping);

    expect(definitions.every((definition) => http.exists(definition))).toBe(true);
    expect(seen).toEqual(["http"]);
  });
});

describe("list methods of builders", () => {
  const [a, b, c] = [r.tag("a").build(), r.tag("b").build(), r.tag("c").build()] as const;
  const ids = ({ tags }: { tags: readonly { id: string }[] }) => tags.map(({ id }) => id);

  it("list methods of builders append by default and replace with { override: true }", () => {
    const task = r
      .task("task")
      .tags([a])
      .run(async () => 1);

    expect(ids(task.tags([b], { override: false }).build())).toEqual(["a", "b"]);
    expect(ids(task.tags([c], { override: true }).build())).toEqual(["c"]);
  });

  it("list methods of builders leave the builder they are called on as it was", () => {
    const base = r.resource("resource").tags([a]);

    const [left, right] = [base.tags([b]).build(), base.tags([c]).build()];

    expect([ids(base.build()), ids(left), ids(right)]).toEqual([["a"], ["a", "b"], ["a", "c"]]);
  });
});
