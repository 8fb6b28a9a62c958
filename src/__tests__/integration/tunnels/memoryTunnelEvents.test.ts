import { globals, r, run, type TunnelRunner } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

/** A tunnel resource with this value. */
const tunnelOf = (id: string, value: TunnelRunner) =>
  r
    .resource(id)
    .tags([globals.tags.tunnel])
    .init(async () => value)
    .build();

describe("events of a client tunnel", () => {
  const changed = r.event<{ n: number }>("changed").build();
  const other = r.event("other").build();

  /** An app that hears `changed` here and sends it there; both sides note it. */
  async function connect(value: TunnelRunner, here: () => Promise<void> = async () => {}) {
    const log: string[] = [];
    const hook = r
      .hook("hook")
      .on(changed)
      .run(async ({ data }) => {
        log.push(`here ${data.n}`);
        await here();
      })
      .build();
    const tunnel = tunnelOf("tunnel", {
      mode: "client",
      events: [changed],
      ...value,
      emit: async (emission) => {
        log.push(`there ${String(emission.data.n)}`);
        return value.emit?.(emission);
      },
    });
    return { log, app: await run(appOf(changed, other, hook, tunnel)) };
  }

  it.each<[TunnelRunner["eventDeliveryMode"], string[]]>([
    [undefined, ["here 1", "there 1"]],
    ["mirror", ["here 1", "there 1"]],
    ["something else" as never, ["here 1", "there 1"]],
    ["constructor" as never, ["here 1", "there 1"]],
    ["local-only", ["here 1"]],
    ["remote-only", ["there 1"]],
    ["remote-first", ["there 1"]],
  ])("events of a client tunnel are delivered %s", async (eventDeliveryMode, expected) => {
    const { log, app } = await connect({ eventDeliveryMode });

    await app.emitEvent(changed, { n: 1 });
    await app.emitEvent(other);
    await app.dispose();

    expect(log).toEqual(expected);
  });

  it("remote-first events go to local listeners when the remote ones fail", async () => {
    const { log, app } = await connect({
      eventDeliveryMode: "remote-first",
      emit: () => Promise.reject(new Error("unreachable")),
    });
    const warnings: unknown[] = [];
    app.logger.onLog(
      ({ level, source, data, error }) => level === "warn" && warnings.push({ source, data, error: error?.message }),
    );

    await app.emitEvent(changed, { n: 1 });
    await app.dispose();

    expect(log).toEqual(["there 1", "here 1"]);
    expect(warnings).toEqual([
      { source: "globals.middleware.resource.tunnel", data: { event: changed.id }, error: "unreachable" },
    ]);
  });

  it.each(["mirror", "remote-only"] as const)(
    "%s events fail when the remote listeners fail",
    async (eventDeliveryMode) => {
      const failure = new Error("unreachable");
      const { app } = await connect({ eventDeliveryMode, emit: () => Promise.reject(failure) });

      expect(await rejectionOf(app.emitEvent(changed, { n: 1 }))).toBe(failure);
      await app.dispose();
    },
  );

  it("mirror events are not sent when a local listener fails", async () => {
    const { log, app } = await connect({}, () => Promise.reject(new Error("boom")));

    await rejectionOf(app.emitEvent(changed, { n: 1 }));
    await app.dispose();

    expect(log).toEqual(["here 1"]);
  });

  it.each<[unknown, unknown]>([
    [{ n: 9 }, { n: 9 }],
    [null, null],
    [undefined, { n: 1 }],
  ])("events of a client tunnel take %j from the server as their payload", async (answer, expected) => {
    const { app } = await connect({ eventDeliveryMode: "remote-only", emit: async () => answer });
    const events = app.getResourceValue(globals.resources.eventManager);

    expect(await events.emitWithResult(changed, { n: 1 }, "test")).toEqual(expected);
    await app.dispose();
  });

  it("events of a client tunnel send what local listeners made of the payload", async () => {
    const growing = r
      .hook("growing")
      .on(changed)
      .order(-1)
      .run(async ({ data }) => void (data.n += 1))
      .build();
    const sent: unknown[] = [];
    const tunnel = tunnelOf("tunnel", {
      mode: "client",
      events: [changed],
      emit: async ({ data }) => void sent.push(data),
    });
    await using app = await run(appOf(changed, growing, tunnel));

    await app.emitEvent(changed, { n: 1 });

    expect(sent).toEqual([{ n: 2 }]);
  });
});
