/** Three ways to test code that calls another process; the first is the one to use most. */
import type { AddressInfo } from "node:net";
import { globals, r, type TunnelRunner } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { app, forecast, packingList, searched, toWeather, unknownCity } from "./app";

const quiet = { shutdownHooks: false, errorBoundary: false } as const;

/** The application with another tunnel. */
const withTunnel = (tunnel: () => Promise<TunnelRunner>) =>
  r
    .resource("test")
    .register([app])
    .overrides([r.override(toWeather).init(tunnel).build()])
    .build();

describe("with a tunnel that is a function", () => {
  const emitted: unknown[] = [];
  const inMemory = withTunnel(async () => ({
    mode: "client",
    tasks: [forecast],
    events: [searched],
    eventDeliveryMode: "remote-only",
    run: async (_task, input) => {
      const { city } = input as { city: string };
      if (city === "Atlantis") unknownCity.throw({ city });
      return { celsius: city === "Oslo" ? 3 : 30, until: new Date(0) };
    },
    emit: async ({ data }) => void emitted.push(data),
  }));

  it.each([
    ["Oslo", ["coat"]],
    ["Cairo", ["sunglasses"]],
    ["Atlantis", ["map"]],
  ])("with a tunnel that is a function, the application packs for %s", async (city, expected) => {
    await using running = await run(inMemory, { ...quiet, unroutedPhantoms: "throw" });

    expect(await running.runTask(packingList, city)).toEqual(expected);
    expect(emitted.pop()).toEqual({ city });
  });
});

describe("with a fake fetch", () => {
  it("with a fake fetch, the client sends token and input, and reads the reply", async () => {
    const sent: { url: string; headers: Headers; body: unknown }[] = [];
    const fakeFetch: typeof fetch = async (url, init) => {
      sent.push({ url: String(url), headers: new Headers(init?.headers), body: JSON.parse(String(init?.body)) });
      const result = { celsius: 3, until: { __type: "Date", value: "2026-01-01T00:00:00.000Z" } };
      return Response.json({ ok: true, result });
    };
    const faked = r
      .resource("test")
      .register([app])
      .overrides([
        r
          .override(toWeather)
          .init(async (_config: void, { createClient }): Promise<TunnelRunner> => {
            const client = createClient({
              baseUrl: "http://weather.test/__runner",
              auth: { token: "t" },
              fetchImpl: fakeFetch,
            });
            return { mode: "client", tasks: [forecast], client };
          })
          .build(),
      ])
      .build();
    await using running = await run(faked, quiet);

    expect(await running.runTask(forecast, { city: "Oslo" })).toEqual({ celsius: 3, until: new Date("2026-01-01") });

    const [call] = sent;
    expect(call?.url).toBe("http://weather.test/__runner/task/weather.forecast");
    expect(call?.headers.get("x-runner-token")).toBe("t");
    expect(call?.body).toEqual({ input: { city: "Oslo" } });
  });
});

describe("over a real exposure", () => {
  it("a real exposure refuses what is larger than a limit that is small on purpose", async () => {
    const server = r
      .resource("weather")
      .register([
        r
          .task(forecast.id)
          .run(async () => ({ celsius: 3, until: new Date(0) }))
          .build(),
        r
          .resource("weather.tunnels.reachable")
          .tags([globals.tags.tunnel])
          .init(async () => ({ mode: "server", tasks: [forecast.id] }))
          .build(),
        nodeExposure.with({ http: { listen: { port: 0 }, limits: { json: { maxSize: 64 } } } }),
      ])
      .build();
    await using weather = await run(server, quiet);
    const { port } = weather.getResourceValue(nodeExposure).server?.address() as AddressInfo;
    const client = weather.getResourceValue(globals.resources.httpClientFactory)({
      baseUrl: `http://127.0.0.1:${port}/__runner`,
    });

    await expect(client.task(forecast.id, { city: "Oslo" })).resolves.toMatchObject({ celsius: 3 });
    await expect(client.task(forecast.id, { city: "O".repeat(64) })).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
  });
});
