/** Three ways to test code that calls another process; the first is the one to use most. */
import type { AddressInfo } from "node:net";
import { globals, r, type TunnelResource } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { app, forecast, packingList, searched, toWeather, unknownCity } from "./app";

const quiet = { shutdownHooks: false, errorBoundary: false } as const;

/** The application with another tunnel. */
const withTunnel = (tunnel: TunnelResource) => r.resource("test").register([app]).overrides([tunnel]).build();

describe("with a memory tunnel", () => {
  const heard: unknown[] = [];
  // What the weather service would be, as far as this application uses it.
  const weather = r
    .resource("weather")
    .register([
      unknownCity,
      searched,
      r
        .task(forecast.id)
        .run(async ({ city }: { city: string }) => {
          if (city === "Atlantis") unknownCity.throw({ city });
          return { celsius: city === "Oslo" ? 3 : 30, until: new Date(0) };
        })
        .build(),
      r
        .hook("weather.hooks.searched")
        .on(searched)
        .run(async ({ data }) => void heard.push(data))
        .build(),
      r.tunnel.server("weather.tunnels.reachable").tasks([forecast.id]).events([searched]).build(),
    ])
    .build();

  it.each([
    ["Oslo", ["coat"]],
    ["Cairo", ["sunglasses"]],
    ["Atlantis", ["map"]],
  ])("with a memory tunnel, the application packs for %s", async (city, expected) => {
    await using service = await run(weather, quiet);
    const inMemory = r.tunnel
      .client(toWeather.id)
      .tasks([forecast])
      .events([searched], { eventDeliveryMode: "remote-only" })
      .memory(service)
      .build();
    await using running = await run(withTunnel(inMemory), { ...quiet, unroutedPhantoms: "throw" });

    expect(await running.runTask(packingList, city)).toEqual(expected);
    expect(heard.pop()).toEqual({ city });
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
    const toFake = r.tunnel
      .client(toWeather.id)
      .tasks([forecast])
      .http({ baseUrl: "http://weather.test/__runner", auth: { token: "t" }, fetchImpl: fakeFetch })
      .build();
    await using running = await run(withTunnel(toFake), quiet);

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
        r.tunnel.server("weather.tunnels.reachable").tasks([forecast.id]).build(),
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
