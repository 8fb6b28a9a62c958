import type { IEventEmission } from "../../define/event";
import { r } from "../../define/r";
import { RunState } from "../runState";
import { Emission, type Listener } from "./emission";
import { linkEvent, type EventLink } from "./linkEvent";

const event = r.event<number>("event").build();
const listener = (run: (emission: IEventEmission) => unknown, patch: Partial<Listener> = {}): Listener => ({
  id: undefined,
  order: 0,
  filter: undefined,
  run,
  ...patch,
});
const link = (patch: Partial<EventLink>) =>
  linkEvent({ event, listeners: [], interceptors: [], guard: undefined, state: new RunState(), ...patch });

describe("linkEvent", () => {
  it("linkEvent makes no emission without listeners", async () => {
    const meta = jest.fn(() => ({}));
    const observed = Object.defineProperty({ ...event }, "meta", { get: meta });

    await link({ event: observed }).emit(1, "test");

    expect(meta).not.toHaveBeenCalled();
  });

  it("linkEvent calls a single listener at once", () => {
    const heard: unknown[] = [];

    void link({ listeners: [listener(({ data }) => heard.push(data))] }).emit(1, "test");

    expect(heard).toEqual([1]);
  });

  it("linkEvent never throws at once, whatever fails", async () => {
    const failing = () => {
      throw new Error("boom");
    };
    const links = [
      link({ listeners: [listener(failing)] }),
      link({ listeners: [listener(failing), listener(failing)] }),
      link({ event: { ...event, parallel: true }, listeners: [listener(failing)] }),
      link({ interceptors: [failing] }),
      link({ event: { ...event, payloadSchema: { parse: failing } } }),
      link({ listeners: [listener(() => 1, { filter: failing })] }),
    ];

    const outcomes = await Promise.allSettled(links.map(({ emit }) => emit(1, "test")));

    expect(outcomes.map(({ status }) => status)).toEqual(Array(links.length).fill("rejected"));
  });

  it("linkEvent parses the payload before interceptors see it", async () => {
    const seen: unknown[] = [];
    const doubling = { ...event, payloadSchema: { parse: (n: number) => n * 2 } };
    const { emitWithResult } = link({
      event: doubling,
      interceptors: [(next, emission) => (seen.push(emission.data), next(emission))],
    });

    expect(await emitWithResult(2, "test")).toBe(4);
    expect(seen).toEqual([4]);
  });

  it("linkEvent skips a listener for what it emitted itself, and by filter", async () => {
    const heard: string[] = [];
    const { emit } = link({
      listeners: [
        listener(() => heard.push("mine"), { id: "me" }),
        listener(() => heard.push("filtered"), { filter: ({ data }) => data === 2 }),
        listener(() => heard.push("all")),
      ],
    });

    await emit(1, "me");
    await emit(2, "other");

    expect(heard).toEqual(["all", "mine", "filtered", "all"]);
  });

  it("linkEvent waits only for listeners that are asynchronous", async () => {
    const log: string[] = [];
    const { emit } = link({
      listeners: [
        listener(() => log.push("sync")),
        listener(async () => log.push("async")),
        listener(() => log.push("last")),
      ],
    });

    const emission = emit(1, "test");
    expect(log).toEqual(["sync", "async"]);
    await emission;

    expect(log).toEqual(["sync", "async", "last"]);
  });
});

describe("an Emission", () => {
  it("an Emission can be spread without losing its controls", () => {
    const emission = new Emission(event, 1, "test");
    const copy = { ...emission, data: 2 };

    copy.stopPropagation();

    expect(emission.isPropagationStopped()).toBe(true);
    expect([emission.data, copy.data, copy.id, copy.source]).toEqual([1, 2, "event", "test"]);
  });
});
