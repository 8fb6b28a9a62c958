import { Errors, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

const body = async () => 1;

describe("something that a circular import has left undefined", () => {
  const missing = undefined as never;
  const schemas: readonly [string, string, () => unknown][] = [
    ["Task", "inputSchema", () => r.task("x").inputSchema(missing)],
    ["Task", "resultSchema", () => r.task("x").resultSchema(missing)],
    ["Task", "itemInputSchema", () => r.task("x").itemInput(missing)],
    [
      "Task",
      "itemSchema",
      () =>
        r
          .task("x")
          .stream(async function* () {})
          .itemSchema(missing),
    ],
    ["Task", "inputSchema", () => r.task.phantom("x").inputSchema(missing)],
    ["Task", "itemInputSchema", () => r.task.phantom("x").itemInput(missing)],
    ["Resource", "configSchema", () => r.resource("x").configSchema(missing)],
    ["Resource", "resultSchema", () => r.resource("x").resultSchema(missing)],
    ["Resource", "register", () => r.resource("x").register(missing)],
    ["Event", "payloadSchema", () => r.event("x").payloadSchema(missing)],
    ["Tag", "configSchema", () => r.tag("x").configSchema(missing)],
    ["Hook", "on", () => r.hook("x").on(missing)],
  ];

  it.each(schemas)("a builder refuses what a circular import left undefined: %s %s", (kind, field, give) => {
    const error = thrownBy(give);

    expect(Errors.invalidDefinitionError.is(error) && error.data).toMatchObject({ kind, id: "x", field });
    expect(error.message).toContain("it is undefined: usually a circular import.");
  });

  it("builders take schemas, and items without a schema, as before", () => {
    const schema = { parse: (value: string) => value };

    expect(r.task("x").inputSchema(schema).itemInput().run(body).build()).toMatchObject({ takesItems: true });
    expect(r.event("x").payloadSchema(schema).build().payloadSchema).toBe(schema);
    expect(
      r
        .error("x")
        .dataSchema({ parse: (data: { a: 1 }) => data })
        .build().id,
    ).toBe("x");
  });
});

describe("what a list of a definition cannot take", () => {
  const other = r.task("other").run(body).build();
  const notified = r.event("notified").build();

  it.each<[string, unknown]>([
    ["an id", "x"],
    ["a number", 5],
    ["an object", {}],
    ["a function", () => other],
    ["a task", other],
    ["a builder", r.tag("x")],
    ["null", null],
  ])("tags that are none are refused with the name of their owner: %s", async (_name, item) => {
    const owner = r
      .task("owner")
      .tags([item as never])
      .run(body)
      .build();

    const error = await rejectionOf(run(appOf(other, owner)));

    expect(Errors.unknownItemTypeError.is(error) && error.data).toMatchObject({ item, owner: "owner", list: "tags" });
  });

  it.each<[string, unknown]>([
    ["an id", "x"],
    ["an object", {}],
    ["a builder", r.middleware.task("x")],
  ])("middleware that is none is refused with the name of its owner: %s", async (_name, item) => {
    const owner = r
      .task("owner")
      .middleware([item as never])
      .run(body)
      .build();

    const error = await rejectionOf(run(appOf(owner)));

    expect(Errors.unknownItemTypeError.is(error) && error.data).toMatchObject({ owner: "owner", list: "middleware" });
  });

  it.each<[string, unknown]>([
    ["an id", "other"],
    ["a number", 5],
    ["a tag", r.tag("x").build()],
    ["a builder", r.task("x").run(body)],
  ])(
    "what cannot override anything is refused with the name of the resource that lists it: %s",
    async (_name, item) => {
      const owner = r
        .resource("owner")
        .overrides([item as never])
        .build();

      const error = await rejectionOf(run(appOf(other, notified, owner)));

      expect(Errors.dependencyNotFoundError.is(error) && error.data).toMatchObject({ overriddenBy: "owner" });
    },
  );

  it("holes in a list of overrides are left out, as before", async () => {
    const owner = r.resource("owner").overrides([undefined, null]).build();

    await using app = await run(appOf(owner), { shutdownHooks: false, errorBoundary: false });

    expect(app.store.resources.has("owner")).toBe(true);
  });
});

describe("hooks of infinite order", () => {
  const event = r.event("notified").build();

  it("hooks of infinite order run before and after all others", async () => {
    const ran: string[] = [];
    const hookOf = (id: string, order: number) =>
      r
        .hook(id)
        .on(event)
        .order(order)
        .run(async () => void ran.push(id))
        .build();
    const hooks = [
      hookOf("last", Infinity),
      hookOf("middle", 1),
      hookOf("first", -Infinity),
      hookOf("also last", Infinity),
    ];
    await using app = await run(appOf(event, ...hooks), { shutdownHooks: false, errorBoundary: false });

    await app.emitEvent(event);

    expect(ran).toEqual(["first", "middle", "last", "also last"]);
  });
});
