import { begin } from "../../../__tests__/support/subscribing";
import { TunnelError } from "../../../errors/tunnelError";
import { itemStream } from "../../../lib/itemStream";
import { Subscriptions } from "./subscriptions";
import { codec, scriptedSubscriptions, TestClock } from "../../../__tests__/support/scriptedSubscriptions";

describe("a subscription that cannot go on", () => {
  it.each([
    [400, "INVALID_SUBSCRIPTION"],
    [401, "UNAUTHORIZED"],
    [403, "FORBIDDEN"],
    [413, "PAYLOAD_TOO_LARGE"],
    [500, "AUTH_NOT_CONFIGURED"],
  ])("ends with the refusal of the server: %i %s", async (status, code) => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    (await server.request(0)).refuse(status, code);

    await expect(listening.next()).rejects.toMatchObject({ name: "TunnelError", code });
    expect(server.requests).toHaveLength(1);
  });

  it("ends with SUBSCRIPTIONS_UNSUPPORTED where the server knows no such path", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    (await server.request(0)).refuse(404, "NOT_FOUND");

    await expect(listening.next()).rejects.toMatchObject({
      code: "SUBSCRIPTIONS_UNSUPPORTED",
      cause: { code: "NOT_FOUND" },
    });
  });

  it("ends with NOT_A_STREAM where something else replies", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    const stream = new ReadableStream<Uint8Array>() as unknown as AsyncIterable<Uint8Array>;
    (await server.request(0)).response.resolve({
      status: 200,
      contentType: "text/html",
      body: { kind: "stream", stream },
    });

    await expect(listening.next()).rejects.toMatchObject({ code: "NOT_A_STREAM" });
  });

  it.each([
    ["no document", "{"],
    ["no object", "[]"],
    ["an event without a place", { event: "a", item: 1 }],
    ["an event that was not asked for", { event: "b", id: "e-1" }],
    ["a gap of nothing", { gap: null }],
    ["a gap of less than one", { gap: { event: "a", reason: "slow", missed: 0 } }],
    ["a gap of an event that was not asked for", { gap: { event: "__proto__", reason: "slow", missed: 1 } }],
  ])("ends with INVALID_RESPONSE at a line with %s", async (_what, line) => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).line(line);

    await expect(listening.next()).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
    expect(server.requests).toHaveLength(1);
  });

  it("ends with INVALID_RESPONSE where the first line leaves out one of its events", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a", "b"]);
    (await server.request(0)).open({ a: "e-0" });

    await expect(listening.next()).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
  });

  it("lines of later versions are passed over", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const listening = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).line({ later: 1 }).line("").event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("ends alone where what is refused is its own: others go on, and each of them is tried by itself", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const good = subscribe(["a"]);
    const bad = subscribe(["secret"]);
    (await server.request(0)).refuse(403, "FORBIDDEN");
    const alone = [await server.request(1), await server.request(2)];
    for (const connection of alone) {
      if (connection.input.events[0] === "a") connection.open({ a: "e-0" }).event("a", "e-1");
      else connection.refuse(403, "FORBIDDEN");
    }

    expect((await good.next()).id).toBe("e-1");
    await expect(bad.next()).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  it("does not end those that are under way when a later one is refused", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const good = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-0" });
    await good.untilOpened(1);
    const bad = subscribe(["secret"]);
    (await server.request(1)).refuse(403, "FORBIDDEN");
    (await server.request(2)).refuse(403, "FORBIDDEN");
    await expect(bad.next()).rejects.toMatchObject({ code: "FORBIDDEN" });
    first.event("a", "e-1");

    expect((await good.next()).id).toBe("e-1");
    expect(first.signal.aborted).toBe(false);
  });

  it("ends with what its caller's own hook throws", async () => {
    const reason = new Error("no token");
    const subscriptions = new Subscriptions(
      { codec, TunnelError, silenceMs: undefined, exchange: () => Promise.reject(reason) },
      new TestClock(),
    );
    const listening = begin(
      (options) =>
        itemStream(async (end) => subscriptions.open(["a"], options, end, (fn) => fn())) as AsyncIterable<unknown>,
    );

    await expect(listening.next()).rejects.toBe(reason);
  });

  it("ends with what onGap throws", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const reason = new Error("I need all of them");
    const onGap = (): never => {
      throw reason;
    };
    const listening = subscribe(["a"], { onGap });
    const connection = (await server.request(0)).open({ a: "e-0" });
    connection.line({ gap: { event: "a", reason: "slow", missed: 1 } });

    await expect(listening.next()).rejects.toBe(reason);
    expect(connection.signal.aborted).toBe(true);
  });

  it("ends with the reason of its signal, whatever waits, and so does its connection", async () => {
    const { server, subscribe } = scriptedSubscriptions();
    const controller = new AbortController();
    const listening = subscribe(["a"], { signal: controller.signal });
    const connection = (await server.request(0)).open({ a: "e-0" });
    await listening.untilOpened(1);
    const reason = new Error("enough");
    controller.abort(reason);

    await expect(listening.next()).rejects.toBe(reason);
    expect(await listening.end()).toEqual({ done: true, value: undefined });
    expect(connection.signal.aborted).toBe(true);
  });

  it("ends without an error when its client closes, and when the server says that it has ended", async () => {
    const { server, subscribe, subscriptions } = scriptedSubscriptions();
    const one = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).line({ ok: true });
    expect(await one.end()).toEqual({ done: true, value: undefined });
    const other = subscribe(["a"]);
    (await server.request(1)).open({ a: "e-0" });
    await other.untilOpened(1);

    subscriptions.close();

    expect(await other.end()).toEqual({ done: true, value: undefined });
    expect(await subscribe(["a"]).end()).toEqual({ done: true, value: undefined });
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    [[], /with one at least/],
    ["a", /a list of events/],
    [[7], /by definition or id, got number/],
    [[{ kind: "task", id: "a" }], /got task/],
  ])("is refused where it is for no events: %p", async (events, message) => {
    const { subscribe } = scriptedSubscriptions();

    await expect(subscribe(events as unknown as string[]).next()).rejects.toThrow(message);
  });

  it.each([
    ["e-1", /is an object/],
    [{ b: "e-1" }, /is of an event that is not subscribed to/],
    [{ a: 1 }, /must be a string, got number/],
  ])("is refused where its places make no sense: %p", async (after, message) => {
    const { subscribe } = scriptedSubscriptions();

    await expect(subscribe(["a"], { after: after as never }).next()).rejects.toThrow(message);
  });
});
