import { globals, nodeExposure, r, type NodeExposureHttpConfig } from "../../../node/index";
import { startExposure, token, type TestExposure } from "../../support/exposure";

const hello = r
  .task("hello")
  .run(async () => "hi")
  .build();

/** Counts how often it is asked. */
function countingValidator() {
  const asked: unknown[] = [];
  const validator = r
    .task("validator")
    .tags([globals.tags.authValidator])
    .run(async ({ headers }) => {
      asked.push(headers["x-runner-token"]);
      return { ok: headers["x-runner-token"] === "approved" };
    })
    .build();
  return { asked, validator };
}

const behindProxy: NodeExposureHttpConfig = {
  auth: { token, maxFailures: 2 },
  trustedProxies: ["127.0.0.1", "10.0.0.0/8"],
};
const call = (exposure: TestExposure, as: string, forwarded = "203.0.113.7", path = "task/hello") =>
  exposure.post(`/__runner/${path}`, "{}", { "x-runner-token": as, "x-forwarded-for": forwarded });
async function statuses(
  exposure: TestExposure,
  ...calls: [as: string, forwarded?: string | undefined, path?: string][]
) {
  const seen = [];
  for (const [as, forwarded, path] of calls) seen.push((await call(exposure, as, forwarded, path)).status);
  return seen;
}

describe("failures to authenticate", () => {
  it("failures to authenticate beyond auth.maxFailures answer 429 and ask no validator", async () => {
    const { asked, validator } = countingValidator();
    await using exposure = await startExposure([hello], behindProxy, [validator]);

    expect(await statuses(exposure, ["a"], ["b"], ["c"], ["approved"])).toEqual([401, 401, 429, 429]);

    const reply = await call(exposure, "d");
    expect(await reply.json()).toEqual({
      ok: false,
      error: { message: "Too many failed attempts", code: "TOO_MANY_FAILURES" },
    });
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(reply.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(asked).toEqual(["a", "b"]);
  });

  it("failures to authenticate count together for tasks, events and discovery", async () => {
    await using exposure = await startExposure([hello], behindProxy);

    const calls = ["task/hello", "event/none", "discovery"].map((path): [string, undefined, string] => [
      "x",
      undefined,
      path,
    ]);

    expect(await statuses(exposure, ...calls)).toEqual([401, 401, 429]);
  });

  it("failures to authenticate do not keep out a token that matches", async () => {
    await using exposure = await startExposure([hello], behindProxy);

    expect(await statuses(exposure, ["x"], ["x"], ["x"], [token])).toEqual([401, 401, 429, 200]);
  });

  it("failures to authenticate count for the address that trusted proxies tell, whatever stands to the left of it", async () => {
    await using exposure = await startExposure([hello], behindProxy);

    expect(
      await statuses(
        exposure,
        ["x", "198.51.100.1, 203.0.113.7, 10.1.1.1"],
        ["x", "198.51.100.2, 203.0.113.7"],
        ["x", "198.51.100.3, 203.0.113.7, 10.2.2.2"],
        ["x", "203.0.113.8"],
      ),
    ).toEqual([401, 401, 429, 401]);
  });

  it("failures to authenticate count together for all addresses of an IPv6 network", async () => {
    await using exposure = await startExposure([hello], behindProxy);

    expect(await statuses(exposure, ["x", "2001:db8::1"], ["x", "2001:db8::2"], ["x", "2001:db8::3"])).toEqual([
      401, 401, 429,
    ]);
  });

  it("failures to authenticate of private addresses count where proxies are named", async () => {
    await using exposure = await startExposure([hello], behindProxy);

    expect(await statuses(exposure, ["x", "192.168.0.1"], ["x", "192.168.0.1"], ["x", "192.168.0.1"])).toEqual([
      401, 401, 429,
    ]);
  });

  it("failures to authenticate of this machine do not count where no proxy is named, and its headers are not believed", async () => {
    await using exposure = await startExposure([hello], { auth: { token, maxFailures: 1 } });

    expect(await statuses(exposure, ["x"], ["x"], ["x"])).toEqual([401, 401, 401]);
  });

  it("failures to authenticate have no limit with maxFailures 0", async () => {
    await using exposure = await startExposure([hello], { ...behindProxy, auth: { token, maxFailures: 0 } });

    expect(await statuses(exposure, ["x"], ["x"], ["x"])).toEqual([401, 401, 401]);
  });

  it("failures to authenticate are not those of a validator that throws", async () => {
    const broken = r
      .task("broken")
      .tags([globals.tags.authValidator])
      .run(async () => {
        throw new Error("down");
      })
      .build();
    await using exposure = await startExposure([hello], behindProxy, [broken]);

    expect(await statuses(exposure, ["x"], ["x"], ["x"])).toEqual([503, 503, 503]);
  });

  it("failures to authenticate include callers without the principal that is required", async () => {
    const { validator } = countingValidator();
    const auth = { maxFailures: 1, required: true };
    await using exposure = await startExposure([hello], { ...behindProxy, auth }, [validator]);

    expect(await statuses(exposure, ["approved"], ["approved"])).toEqual([401, 429]);
  });

  it.each<[string, NodeExposureHttpConfig]>([
    ["http.auth.maxFailures must be a number", { auth: { maxFailures: -1 } }],
    ["http.trustedProxies must be a list", { trustedProxies: "127.0.0.1" as never }],
    ['http.trustedProxies has "proxy.local"', { trustedProxies: ["proxy.local"] }],
  ])("failures to authenticate are configured in a way that can be meant: %s", (message, http) => {
    expect(() => nodeExposure.with({ http })).toThrow(message);
  });
});
