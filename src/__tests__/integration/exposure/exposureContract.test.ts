import { fetchExposure, nodeExposure, r, run } from "../../../node/index";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { charge, charged, refund } from "../../support/shop";

const served = [charge, refund, charged];

async function discoverAs({ port }: TestExposure, as = token) {
  const reply = await fetch(`http://127.0.0.1:${port}/__runner/discovery`, { headers: { "x-runner-token": as } });
  const { result } = (await reply.json()) as { result: { allowList: object; contract?: Record<string, unknown> } };
  return result;
}

const hash = expect.stringMatching(/^[\w-]{16}$/) as unknown;

describe("Discovery of an exposure", () => {
  it("says nothing of the contract by default", async () => {
    await using exposure = await startExposure(served);

    expect(Object.keys(await discoverAs(exposure))).toEqual(["allowList"]);
  });

  it('says the hash of each task and event with contract: "hashes", and no schema', async () => {
    await using exposure = await startExposure(served, { contract: "hashes" });

    expect((await discoverAs(exposure)).contract).toEqual({
      hash,
      tasks: { "shop.tasks.charge": hash, "shop.tasks.refund": hash },
      events: { "shop.events.charged": hash },
    });
  });

  it('has the whole lock with contract: "schemas"', async () => {
    await using exposure = await startExposure(served, { contract: "schemas" });
    const { contract } = await discoverAs(exposure);
    const lock = contract?.["lock"] as { lock: number; hash: string; tasks: Record<string, object> };

    expect([lock.lock, lock.hash]).toEqual([1, contract?.["hash"]]);
    expect(lock.tasks["shop.tasks.charge"]).toMatchObject({
      input: { properties: { amount: { type: "number" } }, required: ["amount"] },
      result: { properties: { receipt: { type: "string" } } },
      throws: ["shop.errors.poor"],
      hash,
    });
  });

  it("tells a caller of what it may reach, and hashes no more than that", async () => {
    const tokens = [{ token: "t-one", tasks: ["shop.tasks.refund"], events: [] }, { token: "t-all" }];
    await using exposure = await startExposure(served, { contract: "hashes", auth: { tokens } });
    const [one, again, all] = await Promise.all(["t-one", "t-one", "t-all"].map((as) => discoverAs(exposure, as)));

    expect(one?.contract).toMatchObject({ tasks: { "shop.tasks.refund": hash }, events: {} });
    expect(Object.keys(one?.contract?.["tasks"] as object)).toEqual(["shop.tasks.refund"]);
    expect(again).toEqual(one);
    expect(one?.contract?.["hash"]).not.toBe(all?.contract?.["hash"]);
  });

  it("is the same by a fetch edge", async () => {
    const edge = fetchExposure.with({ http: { auth: { token }, contract: "hashes" } });
    const reachable = r.tunnel.server("shop.open").tasks([charge, refund]).events([charged]).build();
    const root = r
      .resource("shop")
      .register([...served, reachable, edge])
      .build();
    await using app = await run(root, { logs: { printThreshold: null } });
    await using exposure = await startExposure(served, { contract: "hashes" });
    const request = new Request("http://edge/__runner/discovery", { headers: { "x-runner-token": token } });
    const reply = await app.getResourceValue(fetchExposure).fetch(request);
    const { result } = (await reply.json()) as { result: object };

    expect(result).toEqual(await discoverAs(exposure));
  });

  it("is configured by a word that exists", () => {
    const odd = { http: { contract: "schema" as "schemas" } };
    const message = 'http.contract must be "hashes" or "schemas"';

    expect(() => nodeExposure.with(odd)).toThrow(message);
    expect(() => fetchExposure.with(odd)).toThrow(message);
  });
});
