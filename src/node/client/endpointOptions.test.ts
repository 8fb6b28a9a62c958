import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { startEndpoint } from "../../__tests__/support/pool/endpoint";
import { quiet } from "../../__tests__/support/tunnelPair";
import { globals, r, run } from "../index";
import { run as runAnywhere } from "../../run";
import { createHttpMixedClient, createHttpSmartClient } from "./clientFactories";

const creators = { createHttpMixedClient, createHttpSmartClient };
const names = Object.keys(creators) as (keyof typeof creators)[];
const a = "http://a.example.com/__runner";

const wrongOptions: readonly (readonly [string, object, string, string])[] = [
  ["no list", { endpoints: a }, "endpoints are http://a", "list addresses as text"],
  ["no addresses", { endpoints: [] }, "endpoints are an empty list", "list at least one address"],
  ["nothing", { endpoints: undefined }, "endpoints is undefined", "list the addresses: ["],
  ["a number", { endpoints: [a, 7070] }, "endpoints [1] is 7070", "list addresses as text"],
  ["a relative address", { endpoints: ["/__runner"] }, 'endpoints [0]: address "/__runner" has to be an absolute', ""],
  ["another scheme", { endpoints: ["ftp://a"] }, 'endpoints [0]: address "ftp://a" has to be an absolute http or', ""],
  ["credentials", { endpoints: ["http://u:p@a"] }, "endpoints [0]: address must not hold a user name or password", ""],
  ["too many", { endpoints: Array.from({ length: 1001 }, (_, n) => `http://a${n}`) }, "1001 addresses", "at most 1000"],
  ["baseUrl as well", { endpoints: [a], baseUrl: a }, "has baseUrl beside endpoints or resolve", "leave baseUrl out"],
  [
    "an unknown balance",
    { endpoints: [a], balance: "random" },
    "balance is random",
    'say "least-inflight", "round-robin"',
  ],
  ["null as balance", { endpoints: [a], balance: null }, "balance is null", 'say "least-inflight", "round-robin"'],
  ["a number as eject", { endpoints: [a], eject: 5 }, "eject is 5", "make eject an object of failures and forMs"],
  ["no failures", { endpoints: [a], eject: { failures: 0 } }, "eject.failures is 0", "a whole number from 1 to"],
  ["half a failure", { endpoints: [a], eject: { failures: 1.5 } }, "eject.failures is 1.5", "a whole number from 1 to"],
  ["a past time", { endpoints: [a], eject: { forMs: -1 } }, "eject.forMs is -1", "a whole number from 0 to"],
  ["a misspelt field", { endpoints: [a], eject: { forMS: 1 } }, "eject.forMS is 1", "eject has failures and forMs"],
  [
    "a path as probe",
    { endpoints: [a], probe: "/ready" },
    "probe is /ready",
    "make probe an object of path and everyMs",
  ],
  [
    "no path",
    { endpoints: [a], probe: {} },
    "probe.path is undefined",
    "name the path that http.ready of the servers has",
  ],
  [
    "a relative path",
    { endpoints: [a], probe: { path: "ready" } },
    "probe.path is ready",
    "name the path that http.ready",
  ],
  [
    "an address as path",
    { endpoints: [a], probe: { path: "http://b/ready" } },
    "probe.path is http://b",
    "name the path",
  ],
  ["probes without a pause", { endpoints: [a], probe: { path: "/r", everyMs: 0 } }, "probe.everyMs is 0", "from 10 to"],
  ["a list as resolve", { resolve: [a] }, "resolve is", "make resolve a function"],
  ["a misspelt time", { endpoints: [a], resolveMs: "30s" }, "resolveMs is 30s", "a whole number from 10 to"],
  ["no end", { endpoints: [a], resolveMs: Infinity }, "resolveMs is Infinity", "a whole number from 10 to 2147483647"],
  ["a text as onWarning", { endpoints: [a], onWarning: "log" }, "onWarning is log", "make onWarning a function"],
];

describe.each(names)("wrong options of several endpoints are refused at once: %s", (name) => {
  it.each(wrongOptions)("%s", (_what, config, problem, fix) => {
    const error = thrownBy(() => creators[name](config as never));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message.startsWith(name)).toBe(true);
    expect(error.message).toContain(problem);
    expect(error.message).toContain(fix === "" ? problem : `\n  fix: `);
    expect(error.message).toContain(fix);
  });
});

it("the path of a probe that begins with two slashes stays at the endpoint's origin", async () => {
  await using endpoint = await startEndpoint("a");
  await using client = createHttpMixedClient({
    endpoints: [endpoint.baseUrl],
    probe: { path: "//other.invalid/ready", everyMs: 10 },
  });

  await client.task("t");
  await endpoint.nextProbe();

  expect(endpoint.probed[0]).toBe("//other.invalid/ready");
});

describe("tunnels over several endpoints", () => {
  const work = r.task.phantom<number, string>("app.work").build();
  const heard = r.event<number>("app.heard").build();

  it("r.tunnel.client takes endpoints where it takes baseUrl, for tasks and events, and moves calls", async () => {
    await using a = await startEndpoint("a");
    await using b = await startEndpoint("b");
    const tunnel = r.tunnel
      .client("app.tunnel")
      .tasks([work])
      .events([heard], { eventDeliveryMode: "remote-only" })
      .http({ endpoints: [a.baseUrl, b.baseUrl], balance: "round-robin", eject: { failures: 1 } })
      .build();
    const root = r.resource("app").register([work, heard, tunnel]).build();
    await using app = await run(root, quiet);

    expect((await Promise.all([app.runTask(work, 1), app.runTask(work, 2)])).sort()).toEqual(["a", "b"]);
    await a[Symbol.asyncDispose]();
    expect(await Promise.all([app.runTask(work, 1), app.runTask(work, 2)])).toEqual(["b", "b"]);
    await app.emitEvent(heard, 1);

    expect([...a.called, ...b.called].filter((id) => id === "app.heard")).toHaveLength(1);
  });

  it("r.tunnel.client takes a function of its configuration that resolves endpoints", async () => {
    await using a = await startEndpoint("a");
    const tunnel = r.tunnel
      .client("app.tunnel")
      .tasks([work])
      .http((config: { readonly urls: readonly string[] }) => ({ resolve: async () => config.urls }))
      .build();
    const root = r
      .resource("app")
      .register([work, tunnel.with({ urls: [a.baseUrl] })])
      .build();
    await using app = await run(root, quiet);

    expect(await app.runTask(work, 1)).toBe("a");
  });

  it("wrong options fail the boot, which names the option and the fix", async () => {
    const tunnel = r.tunnel.client("app.tunnel").tasks([work]).http({ endpoints: [] }).build();

    const error = await rejectionOf(run(r.resource("app").register([work, tunnel]).build(), quiet));

    expect(String(error)).toContain("endpoints are an empty list.\n  fix: list at least one address");
  });

  it("the run of the entry without Node's parts says which one has them", async () => {
    const tunnel = r.tunnel
      .client("app.tunnel")
      .tasks([work])
      .http({ endpoints: [a] })
      .build();

    const error = await rejectionOf(runAnywhere(r.resource("app").register([work, tunnel]).build(), quiet));

    expect(String(error)).toContain('fix: import { run } from "@bluelibs/runner/node"');
  });

  it.each(["httpSmartClientFactory", "httpMixedClientFactory"] as const)(
    "the factories of a run make clients of several endpoints, which tell how those are: %s",
    async (kind) => {
      await using a = await startEndpoint("a");
      const caller = r
        .resource("app.caller")
        .dependencies({ create: globals.resources[kind] })
        .init(async (_config: void, { create }) => create({ endpoints: [a.baseUrl] }))
        .build();
      await using app = await run(r.resource("app").register([caller]).build(), quiet);
      const client = app.getResourceValue(caller);

      expect(await client.task("t")).toBe("a");
      expect(client.endpoints()).toEqual([{ url: a.baseUrl, state: "up", inFlight: 0, failures: 0 }]);
    },
  );
});
