import fc from "fast-check";
import { EndpointStates, type Endpoint } from "./endpointStates";

const rules = { failures: 3, forMs: 1000 };
const first = (endpoints: readonly Endpoint[]): Endpoint => endpoints[0] as Endpoint;

/** States of endpoints "a", "b", ... on a clock that is moved by hand. */
function statesOf(names: string, { isProbed = false } = {}) {
  let nowMs = 1;
  const states = new EndpointStates(rules, () => nowMs, isProbed);
  states.replace([...names]);
  return {
    states,
    pass: (ms: number) => (nowMs += ms),
    named: (name: string) => states.all.find(({ url }) => url === name) as Endpoint,
    shown: () => states.all.map(({ state }) => state),
    /** Sends a call to an endpoint and settles it. */
    call(name: string, outcome: Parameters<EndpointStates["settle"]>[1]) {
      const taken = states.take((able) => able.find(({ url }) => url === name) ?? first(able)) as Endpoint;
      states.settle(taken, outcome, taken.state === "probing");
      return taken.url;
    },
  };
}

describe("the states of endpoints", () => {
  it("an endpoint is ejected at its third failure in a row, where that is the limit", () => {
    const { call, shown } = statesOf("ab");

    call("a", "failed");
    call("a", "failed");
    call("a", "answered");
    call("a", "failed");
    call("a", "failed");
    expect(shown()).toEqual(["up", "up"]);
    call("a", "failed");

    expect(shown()).toEqual(["ejected", "up"]);
  });

  it("an endpoint that says it is closing is draining at once", () => {
    const { call, shown } = statesOf("ab");

    call("a", "closing");

    expect(shown()).toEqual(["draining", "up"]);
  });

  it("a reply that was under way does not bring a draining endpoint back", () => {
    const { states, call, shown } = statesOf("ab");
    const late = states.take(first) as Endpoint;

    call("a", "closing");
    states.settle(late, "answered", false);

    expect(shown()).toEqual(["draining", "up"]);
  });

  it.each(["failed", "closing"] as const)(
    "one call alone finds out whether an endpoint is back: after %s",
    (outcome) => {
      const { states, call, pass, shown, named } = statesOf("ab");
      const early = Array.from({ length: rules.failures }, () => states.take(() => named("a")) as Endpoint);
      for (const each of early) states.settle(each, outcome, false);
      pass(rules.forMs - 1);
      expect(call("a", "answered")).toBe("b");

      pass(1);
      const probe = states.take(first);
      expect(probe).toBe(named("a"));
      expect(shown()).toEqual(["probing", "up"]);
      expect(call("a", "answered")).toBe("b");

      states.settle(probe as Endpoint, "answered", true);
      expect(shown()).toEqual(["up", "up"]);
      expect(named("a").failures).toBe(0);
    },
  );

  it("an endpoint whose one call fails is ejected for as long again", () => {
    const { call, pass, shown } = statesOf("ab");
    for (let times = 0; times < rules.failures; times += 1) call("a", "failed");
    pass(rules.forMs);
    expect(call("a", "failed")).toBe("a");

    expect(shown()).toEqual(["ejected", "up"]);
    pass(rules.forMs - 1);
    expect(call("a", "answered")).toBe("b");
    pass(1);
    expect(call("a", "answered")).toBe("a");
  });

  it("an endpoint whose one call was given up by its caller is asked by the next call", () => {
    const { call, pass, shown } = statesOf("ab");
    for (let times = 0; times < rules.failures; times += 1) call("a", "failed");
    pass(rules.forMs);

    call("a", "unknown");

    expect(shown()).toEqual(["ejected", "up"]);
    expect(call("a", "answered")).toBe("a");
  });

  it("a caller that gives up an earlier call does not let a second call find out", () => {
    const { states, call, pass, named } = statesOf("ab");
    const early = states.take(first) as Endpoint;
    for (let times = 0; times < rules.failures; times += 1) call("a", "failed");
    pass(rules.forMs);
    const probe = states.take(first);
    expect(probe).toBe(named("a"));

    states.settle(early, "unknown", false);

    expect(call("a", "answered")).toBe("b");
  });

  it("with none that can be counted on, the endpoint that failed longest ago is tried", () => {
    const { call, pass, shown } = statesOf("abc");
    for (const name of "bca") {
      for (let times = 0; times < rules.failures; times += 1) call(name, "failed");
      pass(1);
    }
    expect(shown()).toEqual(["ejected", "ejected", "ejected"]);

    const order = [1, 2, 3, 4].map(() => (pass(1), call("a", "failed")));

    expect(order).toEqual(["b", "c", "a", "b"]);
  });

  it("an endpoint that is asked by itself comes back when it passes, not with time", () => {
    const { states, call, pass, named } = statesOf("ab", { isProbed: true });
    states.refused(named("a"), "ejected");

    pass(rules.forMs * 10);
    expect(call("a", "answered")).toBe("b");
    states.passed(named("a"));

    expect(call("a", "answered")).toBe("a");
  });

  it("a new list keeps what is known of the endpoints that stay", () => {
    const { states, call, shown, named } = statesOf("abc");
    call("b", "closing");
    const busy = states.take(first) as Endpoint;

    const gone = states.replace(["b", "d"]);

    expect(gone.map(({ url }) => url)).toEqual(["a", "c"]);
    expect(states.all.map(({ url }) => url)).toEqual(["b", "d"]);
    expect(shown()).toEqual(["draining", "up"]);
    states.settle(busy, "failed", false);
    expect(named("b").failures).toBe(1);
  });
});

/** A call that has not settled. */
interface OpenCall {
  readonly endpoint: Endpoint;
  readonly isAsking: boolean;
  /** Whether its endpoint failed meanwhile, so that a later call may ask again. */
  isStale?: boolean;
}

type Step =
  | { readonly do: "take"; readonly pick: number; readonly again: boolean }
  | { readonly do: "settle"; readonly pick: number; readonly outcome: "answered" | "failed" | "closing" | "unknown" }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "answer"; readonly pick: number; readonly isReady: boolean }
  | { readonly do: "replace"; readonly names: readonly string[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant("take" as const), pick: fc.nat(9), again: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      pick: fc.nat(99),
      outcome: fc.constantFrom("answered" as const, "failed" as const, "closing" as const, "unknown" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 1000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("answer" as const), pick: fc.nat(9), isReady: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("replace" as const),
      names: fc.uniqueArray(fc.constantFrom(..."abc"), { minLength: 1 }),
    }),
  },
);

it.each([false, true])("a pool keeps its promises whatever happens to its calls: asked by itself %s", (isProbed) => {
  const promises = fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
    let nowMs = 1;
    const states = new EndpointStates(rules, () => nowMs, isProbed);
    states.replace([..."ab"]);
    const open: OpenCall[] = [];
    /** Until when an endpoint was sent to rest, as this test saw it. */
    const restsUntil = new Map<Endpoint, number>();

    function take(pick: number, tried: readonly Endpoint[]): void {
      const before = new Map(states.all.map((endpoint) => [endpoint, endpoint.state]));
      const taken = states.take((able) => able[pick % able.length] as Endpoint, tried);

      const left = states.all.filter((endpoint) => !tried.includes(endpoint));
      // It refuses no call by itself.
      expect(taken === undefined).toBe(left.length === 0);
      if (taken === undefined) return;
      expect(left).toContain(taken);
      const state = before.get(taken);
      if (left.some((endpoint) => before.get(endpoint) === "up")) {
        // While another one can be counted on, it leaves alone what rests and what another call is asking.
        expect(state).not.toBe("probing");
        if (state !== "up") {
          expect(isProbed).toBe(false);
          expect(restsUntil.get(taken)).toBeLessThanOrEqual(nowMs);
          expect(open.filter((each) => each.endpoint === taken && each.isAsking && each.isStale !== true)).toEqual([]);
        }
      }
      expect(taken.state).toBe(state === "up" ? "up" : "probing");
      open.push({ endpoint: taken, isAsking: state !== "up" });
    }

    function sendToRest(endpoint: Endpoint): void {
      restsUntil.set(endpoint, nowMs + rules.forMs);
      for (const each of open) if (each.endpoint === endpoint) each.isStale = true;
    }

    for (const next of steps) {
      if (next.do === "take") take(next.pick, next.again ? open.slice(-1).map(({ endpoint }) => endpoint) : []);
      else if (next.do === "pass") nowMs += next.ms;
      else if (next.do === "replace") states.replace(next.names);
      else if (next.do === "answer") {
        const endpoint = states.all[next.pick % states.all.length] as Endpoint;
        if (next.isReady) states.passed(endpoint);
        else states.refused(endpoint, "ejected");
        expect(endpoint.state).toBe(next.isReady ? "up" : "ejected");
        sendToRest(endpoint);
      } else if (open.length > 0) {
        const [{ endpoint, isAsking }] = open.splice(next.pick % open.length, 1) as [(typeof open)[number]];
        const [before, failures] = [endpoint.state, endpoint.failures];
        states.settle(endpoint, next.outcome, isAsking);
        if (next.outcome === "failed" || next.outcome === "closing") expect(endpoint.failures).toBe(failures + 1);
        if (next.outcome === "closing") expect(endpoint.state).toBe("draining");
        if (next.outcome === "failed" && before === "up")
          expect(endpoint.state).toBe(failures + 1 >= rules.failures ? "ejected" : "up");
        if (next.outcome === "answered") expect(endpoint.state).toBe(before === "draining" ? "draining" : "up");
        const isSentToRest =
          next.outcome === "closing" ||
          (next.outcome === "failed" && before !== "draining" && (before !== "up" || failures + 1 >= rules.failures));
        if (isSentToRest) sendToRest(endpoint);
      }
      for (const endpoint of states.all) {
        expect(endpoint.inFlight).toBe(open.filter((each) => each.endpoint === endpoint).length);
        expect(["up", "ejected", "probing", "draining"]).toContain(endpoint.state);
        if (endpoint.state === "up") expect(endpoint.failures).toBeLessThan(rules.failures);
        // What is said to be asked is being asked.
        if (endpoint.state === "probing") expect(endpoint.inFlight).toBeGreaterThan(0);
      }
    }
  });
  fc.assert(promises, { numRuns: 100 });
});
