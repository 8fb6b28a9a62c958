import { scriptedSubscriptions, TestClock } from "../../../__tests__/support/scriptedSubscriptions";

describe("a connection that is lost", () => {
  it("is made anew, and goes on behind the last event", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-4" }).event("a", "e-5");
    await listening.next();
    first.cut();
    const second = await server.request(1);
    second.open({ a: "e-6" }).event("a", "e-6");

    expect(second.input.after).toEqual({ a: "e-5" });
    expect((await listening.next()).id).toBe("e-6");
    expect(listening.gaps).toEqual([]);
    expect(listening.opened).toHaveLength(2);
  });

  it("goes on behind where it began, if no event came over it", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    void subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-4" });
    first.end();

    expect((await server.request(1)).input.after).toEqual({ a: "e-4" });
  });

  it("goes on behind what it was told that it misses", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-4" }).event("a", "e-5");
    first.line({ gap: { event: "a", reason: "slow", missed: 3 } }).event("a", "e-9");
    expect((await listening.next()).id).toBe("e-5");
    expect((await listening.next()).id).toBe("e-9");
    first.line({ gap: { event: "a", reason: "slow", missed: 2 } }).cut();

    expect((await server.request(1)).input.after).toEqual({ a: "e-11" });
    expect(listening.seen[1]).toEqual({ event: "a", reason: "slow", missed: 3 });
  });

  it("is tried again after longer and longer times, of which chance takes a part, until it begins", async () => {
    const { server, subscribe, clock } = scriptedSubscriptions({ clock: new TestClock(0.5) });
    const listening = subscribe(["a"]);
    for (let index = 0; index < 9; index += 1) (await server.request(index)).fail();
    const opened = (await server.request(9)).open({ a: "e-0" });
    await listening.untilOpened(1);
    opened.cut();
    (await server.request(10)).fail();
    await server.request(11);

    expect(clock.waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 250, 500]);
  });

  it("is not tried before the time that the server asks for", async () => {
    const { server, subscribe, clock } = scriptedSubscriptions({ clock: new TestClock(0) });
    void subscribe(["a"]);
    (await server.request(0)).refuse(503, "OVERLOADED", { "retry-after": "7" });
    (await server.request(1)).refuse(429, "TOO_MANY_FAILURES", { "retry-after": "2" });
    await server.request(2);

    expect(clock.waits).toEqual([7000, 2000]);
  });

  it.each([408, 425, 429, 500, 502, 503])("is tried again after a refusal with %i", async (status) => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    (await server.request(0)).refuse(status, "ANY");
    (await server.request(1)).open({ a: "e-0" }).event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("is tried again when the server closes, or says nothing for too long", async () => {
    const { server, subscribe } = scriptedSubscriptions({ silenceMs: 5 });
    const listening = subscribe(["a"]);
    const closing = { ok: false, error: { code: "SERVER_CLOSING", message: "closing" } };
    (await server.request(0)).open({ a: "e-0" }).line(closing);
    (await server.request(1)).open({ a: "e-0" });
    (await server.request(2)).open({ a: "e-0" }).event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("is not taken for lost before three heartbeats of the server have passed", async () => {
    const { server, subscribe } = scriptedSubscriptions({ silenceMs: 1 });
    const listening = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" }, { "x-runner-heartbeat-ms": "60000" });
    await listening.untilOpened(1);
    const begunMs = performance.now();
    while (performance.now() - begunMs < 20) await new Promise(setImmediate);
    connection.event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
    expect(server.requests).toHaveLength(1);
  });

  it("is tried again when a request is never replied to", async () => {
    const { server, subscribe } = scriptedSubscriptions({ silenceMs: 5 });
    const listening = subscribe(["a"]);
    await server.request(0);
    (await server.request(1)).open({ a: "e-0" }).event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("a wait ends when a further subscription begins, and when the last one ends", async () => {
    const clock = new TestClock();
    clock.held = true;
    const { server, subscribe } = scriptedSubscriptions({ clock });
    const one = subscribe(["a"]);
    (await server.request(0)).fail();
    while (clock.waits.length === 0) await new Promise(setImmediate);
    const other = subscribe(["b"]);
    const second = await server.request(1);
    second.fail();
    while (clock.waits.length === 1) await new Promise(setImmediate);

    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await new Promise(setImmediate);

    expect(second.input.events).toEqual(["a", "b"]);
    expect(server.requests).toHaveLength(2);
  });
});
