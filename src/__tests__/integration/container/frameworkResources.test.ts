import { globals, r, run, type HttpClient } from "../../../index";
import { globals as nodeGlobals, run as nodeRun } from "../../../node/index";

const { httpSmartClientFactory } = nodeGlobals.resources;

it("what applications call themselves is not tagged as system, the rest of the framework is", () => {
  const { tags } = nodeGlobals;
  const systemNames = Object.entries(nodeGlobals.resources)
    .filter(([, resource]) => tags.system.exists(resource))
    .map(([name]) => name);

  expect(systemNames).toEqual(
    expect.arrayContaining([
      ...["store", "middlewareManager", "eventManager", "taskRunner", "logger", "serializer"],
      ...["rateLimit", "circuitBreaker", "temporal", "concurrency"],
    ]),
  );
  for (const name of ["cache", "queue", "httpClientFactory", "httpSmartClientFactory", "httpMixedClientFactory"]) {
    expect(systemNames).not.toContain(name);
  }
});

describe("a framework resource that is not registered", () => {
  it("a framework resource that is not registered can be read, and is made once per run", async () => {
    await using app = await run(r.resource("app").build());

    const factory = app.getResourceValue(httpSmartClientFactory);
    await using client = factory({ baseUrl: "http://127.0.0.1:9/__runner" });

    expect(typeof client.task).toBe("function");
    expect(app.getResourceValue(httpSmartClientFactory)).toBe(factory);
  });

  it("a framework resource that is not registered is registered by being depended on", async () => {
    const root = r
      .resource("app")
      .dependencies({ createClient: httpSmartClientFactory })
      .init(async (_config, { createClient }) => createClient)
      .build();

    await using app = await run(root);

    expect(app.value).toBe(app.getResourceValue(httpSmartClientFactory));
    expect(app.store.resources.has(httpSmartClientFactory.id)).toBe(true);
  });

  it("a framework resource that is not registered is not found by its id alone", async () => {
    await using app = await run(r.resource("app").build());

    expect(() => app.getResourceValue(httpSmartClientFactory.id) as unknown).toThrow(
      'Resource "globals.resources.httpSmartClientFactory" not found.',
    );
  });

  it.each([
    ["not registered by the universal run", run],
    ["registered by the run of Node", nodeRun],
  ])(
    "a framework resource that is not registered a framework resource that nothing depends on can be overridden: %s",
    async (_which, start) => {
      const factory = globals.resources.httpClientFactory;
      const offline = r
        .override(factory)
        .init(async () => () => ({}) as HttpClient)
        .build();
      const root = r.resource("app").overrides([offline]).build();

      await using app = await start(root);

      expect(app.getResourceValue(factory)({ baseUrl: "" })).toEqual({});
    },
  );
});
