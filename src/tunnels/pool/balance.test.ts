import { thrownBy } from "../../__tests__/support/failures";
import { textBody, type WireRequest } from "../protocol/wire";
import { balanceBy, type ChooseEndpoint } from "./balance";
import { EndpointStates, type Endpoint } from "./endpointStates";

const request: WireRequest = { target: { kind: "task", id: "t" }, headers: {}, body: textBody(""), input: { a: 1 } };
const policies = ["least-inflight", "round-robin"] as const;

/** Makes so many calls, some at a time, on a clock of its own. @returns how many each endpoint got */
function simulate(
  policy: "least-inflight" | "round-robin" | ChooseEndpoint,
  { costs, calls, atOnce }: { readonly costs: readonly number[]; readonly calls: number; readonly atOnce: number },
): readonly number[] {
  const states = new EndpointStates({ failures: 5, forMs: 1000 }, () => 1);
  states.replace(costs.map((_cost, index) => `${index}`));
  const balance = balanceBy(policy);
  const counts = costs.map(() => 0);
  let open: { readonly endpoint: Endpoint; readonly endsAt: number }[] = [];
  let nowMs = 0;
  for (let begun = 0; begun < calls; begun += 1) {
    if (open.length === atOnce) {
      nowMs = Math.min(...open.map(({ endsAt }) => endsAt));
      for (const { endpoint, endsAt } of open) if (endsAt === nowMs) states.settle(endpoint, "answered", false);
      open = open.filter(({ endsAt }) => endsAt > nowMs);
    }
    const endpoint = states.take(balance(request)) as Endpoint;
    const index = Number(endpoint.url);
    counts[index] = (counts[index] ?? 0) + 1;
    open.push({ endpoint, endsAt: nowMs + (costs[index] ?? 0) });
  }
  return counts;
}

describe.each(policies)("balance %s", (policy) => {
  it.each([
    [2, 1],
    [3, 1],
    [3, 8],
    [3, 64],
    [7, 10],
  ])("10,000 calls of equal cost are spread within 10 percent: %d endpoints, %d in flight", (endpoints, atOnce) => {
    const counts = simulate(policy, { costs: Array.from({ length: endpoints }, () => 10), calls: 10_000, atOnce });

    const even = 10_000 / endpoints;
    for (const count of counts) expect(Math.abs(count - even)).toBeLessThanOrEqual(even / 10);
  });

  it("calls one at a time reach all endpoints in turn", () => {
    expect(simulate(policy, { costs: [1, 1, 1], calls: 9, atOnce: 1 })).toEqual([3, 3, 3]);
  });
});

it.each([8, 12, 32, 64])(
  "least-inflight gives one of three endpoints that is ten times slower less than 15 percent: %d in flight",
  (atOnce) => {
    const [, , slow = NaN] = simulate("least-inflight", { costs: [10, 10, 100], calls: 10_000, atOnce });

    expect(slow).toBeGreaterThan(0);
    expect(slow).toBeLessThan(1500);
  },
);

describe("a balance of one's own", () => {
  const endpoints = new EndpointStates({ failures: 1, forMs: 1 }, () => 1);
  endpoints.replace(["a", "b"]);

  it("receives the endpoints and the call, and its choice holds", () => {
    const seen: unknown[] = [];
    const balance = balanceBy((given, call) => {
      seen.push(
        given.map(({ url, state, inFlight, failures }) => ({ url, state, inFlight, failures })),
        call,
      );
      return given[1] as (typeof given)[number];
    });

    expect(endpoints.take(balance(request))?.url).toBe("b");
    expect(seen).toEqual([
      [
        { url: "a", state: "up", inFlight: 0, failures: 0 },
        { url: "b", state: "up", inFlight: 0, failures: 0 },
      ],
      { kind: "task", id: "t", input: { a: 1 } },
    ]);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["an address", "a"],
    ["a copy", { url: "a", state: "up", inFlight: 0, failures: 0 }],
    ["a promise", Promise.resolve({ url: "a" })],
  ])("fails the call where it returns %s, and says what to return", (_what, chosen) => {
    const balance = balanceBy((() => chosen) as ChooseEndpoint);

    const error = thrownBy(() => endpoints.take(balance(request)));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(
      "balance returned none of the endpoints it was given.\n  fix: return one of its first argument, as endpoints[0]",
    );
  });
});
