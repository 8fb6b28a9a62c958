import { createHttpSmartClient } from "../../node";
import { rejectionOf } from "../support/failures";
import { rows, startInterop, theirClients, type Interop, type Row } from "./directions";
import { token, type Published } from "./interopApp";
import { startOurs } from "./localPlayer";
import type { Player } from "./publishedPeer";
import type { Failure } from "./scenarios";

const tunnelError = (code: string, message: string): Failure => ({
  name: "TunnelError",
  code,
  message,
  isSoldOut: false,
});

let interop: Interop;
beforeAll(async () => void (interop = await startInterop()));
afterAll(() => interop[Symbol.asyncDispose]());

describe.each(rows)("%s, %s by the %s client", (...row) => {
  const [published, direction] = row;
  const toOurs = direction === "theirs calls ours";
  let player: Player;
  beforeAll(() => void (player = interop.playerOf(row)));

  it("a call between versions brings back every kind of value as it was", async () => {
    expect(await player.play("values")).toEqual([]);
    expect(await player.play("tags")).toEqual(
      ["Date", "Map", "Set", "BigInt", "Undefined", "URL"].map((tag) => `[object ${tag}]`),
    );
    expect(await player.play("noInput")).toBeUndefined();
  });

  it("a call between versions revives a declared error with its data", async () => {
    expect(await player.play("typedError")).toEqual({
      name: "interop.errors.soldOut",
      message: "No tea left",
      isSoldOut: true,
      data: { sku: "tea", since: new Date(5) },
    });
  });

  it("a call between versions learns nothing of an undeclared error", async () => {
    expect(await player.play("untypedError")).toEqual(tunnelError("INTERNAL_ERROR", "Internal Error"));
  });

  it("a call between versions is refused for the same reasons in the same words", async () => {
    expect(await player.play("refusals")).toEqual({
      wrongToken: tunnelError("UNAUTHORIZED", "Unauthorized"),
      unlisted: tunnelError("FORBIDDEN", "Task interop.tasks.unlisted not exposed"),
      unlistedEvent: tunnelError("FORBIDDEN", "Event interop.events.none not exposed"),
      nowhere: tunnelError("NOT_FOUND", "Not Found"),
      tooLarge: tunnelError("PAYLOAD_TOO_LARGE", "Payload too large"),
    });
  });

  it(toOurs ? "is told where its input is wrong" : "is not told where its input is wrong: 5.x keeps it", async () => {
    const told = {
      ...tunnelError(
        "VALIDATION_ERROR",
        "Task input validation failed for interop.tasks.order: quantity must be positive",
      ),
      data: {
        subject: "Task input",
        id: "interop.tasks.order",
        issues: [{ path: [], message: "quantity must be positive" }],
      },
    };

    expect(await player.play("invalidInput")).toEqual(toOurs ? told : tunnelError("INTERNAL_ERROR", "Internal Error"));
  });

  it("a call between versions takes its async context along", async () => {
    expect(await player.play("context")).toEqual({ name: "Ada", since: new Date(3) });
  });

  it("a call between versions emits events, and gets their payload back when it asks", async () => {
    expect(await player.play("events")).toEqual({ plain: undefined, withResult: { count: 2, at: new Date(7) } });
  });

  it("a call between versions brings back what only looks like a marked value, unless a side is 5.2", async () => {
    const [user, circle] = await player.play("lookalikes");

    expect(user).toEqual({ seen: ["__type", "name"], returned: { __type: "user", name: "ada" } });
    const refused = tunnelError("INVALID_JSON", "Invalid JSON body");
    const restored = { __type: "Circle", value: 3 };
    if (published === "runner-55") expect(circle).toEqual({ seen: ["__type", "value"], returned: restored });
    // It neither escapes what it sends nor restores what it receives.
    else if (toOurs) expect(circle).toEqual({ seen: refused, returned: refused });
    else expect(circle).toEqual({ seen: ["$runner.escape::__type", "value"], returned: restored });
  });
});

describe.each(rows.filter(([, , kind]) => kind === "mixed"))("%s, %s through a tunnel", (...row) => {
  it("a tunnel between versions runs phantom tasks there, with typed errors and contexts", async () => {
    expect(await interop.playerOf(row).play("throughTunnel")).toEqual({
      date: new Date(9),
      isSoldOut: true,
      name: "Ada",
    });
  });
});

/** The Smart client of 5.2 never gives up. */
const givesUp = ([published, direction, kind]: Row): boolean =>
  kind === "universal" || (kind === "smart" && !(published === "runner-52" && direction === "theirs calls ours"));

describe.each(rows.filter(givesUp))("%s, %s by the %s client", (...row) => {
  it("a call between versions aborts in time, and the task's signal aborts", async () => {
    const outcome = await interop.playerOf(row).play("timeout");

    const failure = row[2] === "smart" ? { code: "REQUEST_TIMEOUT" } : { name: "AbortError" };
    expect(outcome).toMatchObject({ failure, learned: "aborted" });
  });
});

describe.each(rows.filter(([, direction]) => direction === "ours calls theirs"))(
  "%s, %s by the %s client",
  (...row) => {
    it("a call between versions is answered although they know neither its time nor its trace", async () => {
      expect(await interop.playerOf(row).play("scope")).toEqual(new Date(9));
    });

    it("a call between versions aborts their task's signal by the call's signal", async () => {
      const outcome = await interop.playerOf(row).play("abort");

      expect(outcome).toEqual({
        failure: { name: "Error", message: "changed my mind", isSoldOut: false },
        learned: "aborted",
      });
    });
  },
);

describe.each(Object.keys(theirClients) as Published[])("%s", (published) => {
  it("a published version says about itself what ours says", async () => {
    const discover = async (baseUrl: string) => {
      const reply = await fetch(`${baseUrl}/discovery`, { headers: { "x-runner-token": token } });
      return { status: reply.status, body: (await reply.json()) as unknown };
    };

    const theirs = await discover(interop.peers[published].baseUrl);

    expect(theirs).toEqual(await discover(interop.ours.baseUrl));
    expect(theirs).toMatchObject({
      status: 200,
      body: { ok: true, result: { allowList: { enabled: true, events: ["interop.events.counted"] } } },
    });
  });

  it("a published version ignores every header of ours that says more of a call, even that no time is left", async () => {
    const headers = {
      "content-type": "application/json",
      "x-runner-token": token,
      "x-runner-deadline-ms": "0",
      "x-runner-via": "0123456789abcdef0123456789abcdef",
      "x-runner-emission-id": "fedcba9876543210fedcba9876543210",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      tracestate: "vendor=1",
    };
    const post = async (baseUrl: string, path: string, body: object) =>
      (await fetch(baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) })).json() as Promise<unknown>;
    const { baseUrl } = interop.peers[published];
    const emit = () => post(baseUrl, "/event/interop.events.counted", { payload: { count: 1 }, returnPayload: true });

    expect(await post(baseUrl, "/task/interop.tasks.echo", { input: "here" })).toEqual({ ok: true, result: "here" });
    // The same emission twice, which processes of ours would hear once.
    expect([await emit(), await emit()]).toMatchObject([{ result: { count: 2 } }, { result: { count: 2 } }]);
    expect(await post(interop.ours.baseUrl, "/task/interop.tasks.echo", { input: "here" })).toMatchObject({
      error: { code: "DEADLINE_EXCEEDED" },
    });
  });

  it("a published version reads our compressed replies where it asks for them, and gets plain ones where it does not", async () => {
    const compressing = await startOurs({ compression: { responses: { threshold: 0 } } });

    const outcomes = await Promise.all(
      theirClients[published].map((kind) => interop.peers[published].client(kind, compressing.baseUrl).play("values")),
    );
    await compressing.dispose();

    expect(outcomes.flat()).toEqual([]);
  });

  it("a published version cannot read compressed requests, so ours does not send them unless told", async () => {
    await using client = createHttpSmartClient({
      baseUrl: interop.peers[published].baseUrl,
      auth: { token },
      compression: { requests: true },
    });

    expect(await rejectionOf(client.task("interop.tasks.echo", 1))).toMatchObject({ code: "INVALID_JSON" });
  });
});
