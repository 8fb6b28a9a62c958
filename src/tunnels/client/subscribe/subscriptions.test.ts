import { scriptedSubscriptions } from "../../../__tests__/support/scriptedSubscriptions";

describe("a connection of subscriptions", () => {
  it("is one for all that begin in one turn, and each hears its own events", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const one = subscribe(["a", "b"]);
    const other = subscribe(["b"]);
    const connection = await server.request(0);
    connection.open({ a: "e-0", b: "f-0" }).event("a", "e-1", 1).event("b", "f-1", 2);

    expect(connection.input).toEqual({ events: ["a", "b"] });
    expect(await one.payloads(2)).toEqual([1, 2]);
    expect(await other.payloads(1)).toEqual([2]);
    expect(server.requests).toHaveLength(1);
  });

  it("gives each of its listeners a payload of its own", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const one = subscribe(["a"]);
    const other = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).event("a", "e-1", { list: [] });

    const [first, second] = [await one.next(), await other.next()];

    expect(first.payload).toEqual(second.payload);
    expect(first.payload).not.toBe(second.payload);
  });

  it("is used by a later subscription as well, if it brings its events already", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const one = subscribe(["a", "b"]);
    const connection = (await server.request(0)).open({ a: "e-0", b: "f-0" });
    connection.event("a", "e-1");
    await one.next();
    const later = subscribe(["a"]);
    await later.untilOpened(1);
    connection.event("a", "e-2");

    expect(later.opened).toEqual([{ a: "e-1" }]);
    expect((await later.next()).id).toBe("e-2");
    expect(server.requests).toHaveLength(1);
  });

  it("is made anew for further events, goes on where each stood, and the old one ends after the new one has begun", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const one = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-0" }).event("a", "e-1");
    await one.next();
    const later = subscribe(["b"]);
    const second = await server.request(1);
    first.event("a", "e-2");
    expect((await one.next()).id).toBe("e-2");
    expect(first.signal.aborted).toBe(false);
    second.open({ a: "e-2", b: "f-7" }).event("a", "e-2").event("a", "e-3").event("b", "f-8");

    expect(second.input).toEqual({ events: ["a", "b"], after: { a: "e-1" } });
    expect((await one.next()).id).toBe("e-3");
    expect((await later.next()).id).toBe("f-8");
    expect(first.signal.aborted).toBe(true);
  });

  it("ends once nothing listens", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const one = subscribe(["a"]);
    const other = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" });
    await one.untilOpened(1);

    await one[Symbol.asyncDispose]();
    expect(connection.signal.aborted).toBe(false);
    await other[Symbol.asyncDispose]();

    expect(connection.signal.aborted).toBe(true);
  });

  it("is asked for no more events than servers take, and a further one for the rest", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const many = Array.from({ length: 70 }, (_, index) => `a${index}`);
    const more = Array.from({ length: 70 }, (_, index) => `b${index}`);
    void subscribe(many);
    void subscribe(more);

    const connections = [await server.request(0), await server.request(1)];

    expect(connections.map(({ input }) => input.events.length)).toEqual([70, 70]);
  });
});

describe("a subscription that begins at a place", () => {
  it("sends it, and hears what comes behind it", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"], { after: { a: "e-5" } });
    const connection = (await server.request(0))
      .open({ a: "e-7" })
      .event("a", "e-6")
      .event("a", "e-7")
      .event("a", "e-8");

    expect(connection.input).toEqual({ events: ["a"], after: { a: "e-5" } });
    expect([await listening.next(), await listening.next(), await listening.next()].map(({ id }) => id)).toEqual([
      "e-6",
      "e-7",
      "e-8",
    ]);
  });

  it("shares a connection with one that begins now, and each hears what is behind its own place", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const back = subscribe(["a"], { after: { a: "e-5" } });
    const now = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-7" }).event("a", "e-6").event("a", "e-7").event("a", "e-8");

    expect((await now.next()).id).toBe("e-8");
    expect((await back.next()).id).toBe("e-6");
  });

  it("shares a connection with one that begins at another place: it is asked for from the earlier one on", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const late = subscribe(["a"], { after: { a: "e-6" } });
    const early = subscribe(["a"], { after: { a: "e-3" } });
    const connection = (await server.request(0)).open({ a: "e-7" });
    connection.line({ gap: { event: "a", reason: "expired", missed: 4 } }).event("a", "e-8");

    expect(connection.input.after).toEqual({ a: "e-3" });
    expect((await late.next()).id).toBe("e-8");
    expect((await early.next()).id).toBe("e-8");
    expect(early.gaps).toEqual([{ event: "a", reason: "expired", missed: 4 }]);
    expect(late.gaps).toEqual([{ event: "a", reason: "expired", missed: 1 }]);
  });

  it("is told that its place is unknown where the server was asked for that of another process", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const known = subscribe(["a"], { after: { a: "e-6" } });
    const stale = subscribe(["a"], { after: { a: "old-3" } });
    (await server.request(0)).open({ a: "e-7" }).event("a", "e-7").event("a", "e-8");

    expect((await known.next()).id).toBe("e-7");
    expect((await stale.next()).id).toBe("e-8");
    expect(stale.gaps).toEqual([{ event: "a", reason: "unknown", missed: null }]);
  });

  it("goes on with what the server says where its place is unknown", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"], { after: { a: "future-99" } });
    const first = (await server.request(0)).open({ a: "e-7" });
    first.line({ gap: { event: "a", reason: "unknown", missed: null } }).event("a", "e-8");
    await listening.next();
    first.cut();

    expect(listening.seen[0]).toEqual({ event: "a", reason: "unknown", missed: null });
    expect((await server.request(1)).input.after).toEqual({ a: "e-8" });
  });
});

describe("a loop that is slower than its events", () => {
  const large = "x".repeat(1_000_000);

  it("holds the connection back where no other one reads it", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" });
    for (let index = 1; index <= 20; index += 1) connection.event("a", `e-${index}`, large);

    const ids: string[] = [];
    while (ids.length < 20) {
      ids.push((await listening.next()).id);
      await new Promise(setImmediate);
    }

    expect(listening.gaps).toEqual([]);
    expect(ids.at(-1)).toBe("e-20");
  });

  it("holds no other loop back, and is told what it missed", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const slow = subscribe(["a"]);
    const fast = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" });
    for (let index = 1; index <= 20; index += 1) {
      connection.event("a", `e-${index}`, large);
      await fast.next();
    }
    let read = 0;
    let next = slow.next();
    while (slow.gaps.length === 0) {
      await next;
      read += 1;
      next = slow.next();
    }
    connection.event("a", "e-21", "small");

    expect((await next).id).toBe("e-21");
    expect(fast.gaps).toEqual([]);
    expect(slow.gaps).toEqual([{ event: "a", reason: "slow", missed: 20 - read }]);
  });
});
