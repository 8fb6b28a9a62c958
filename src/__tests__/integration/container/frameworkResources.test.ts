import { r, run } from "../../../index";
import { globals as nodeGlobals } from "../../../node/index";

const { httpSmartClientFactory } = nodeGlobals.resources;

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
});
