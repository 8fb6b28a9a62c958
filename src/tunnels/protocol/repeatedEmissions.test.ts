import { viaHeader, emissionIdHeader } from "../protocol/headers";
import { runIdOf } from "../protocol/emissionPath";
import { forgetEmission, isRepeated } from "./repeatedEmissions";

const idOf = (index: number) => index.toString(16).padStart(32, "0");
const received = (index: number, eventId = "happened") => ({
  target: { kind: "event" as const, id: eventId },
  headers: { [emissionIdHeader]: idOf(index) },
});

describe("emissions that a run has received", () => {
  it("emissions that a run has received are remembered by emission and event, for each run by itself", () => {
    const [run, other] = [{}, {}];

    expect(isRepeated(run, received(1))).toBe(false);
    expect(isRepeated(run, received(1))).toBe(true);
    expect(isRepeated(run, received(2))).toBe(false);
    expect(isRepeated(run, received(1, "renamed"))).toBe(false);
    expect(isRepeated(other, received(1))).toBe(false);
  });

  it("of the emissions that a run has received the last 10,000 are remembered, and no more than twice as many", () => {
    const run = {};
    for (let index = 0; index < 20_000; index++) isRepeated(run, received(index));
    for (const index of [10_000, 15_000, 19_999]) expect(isRepeated(run, received(index))).toBe(true);

    isRepeated(run, received(20_000));

    for (const index of [10_001, 20_000]) expect(isRepeated(run, received(index))).toBe(true);
    expect(isRepeated(run, received(0))).toBe(false);
  });

  it("an emission whose hooks failed is forgotten, however many came after it", () => {
    const run = {};
    isRepeated(run, received(1));
    for (let index = 2; index < 10_002; index++) isRepeated(run, received(index));
    expect(isRepeated(run, received(1))).toBe(true);

    forgetEmission(run, received(1));

    expect(isRepeated(run, received(1))).toBe(false);
  });

  it("emissions that a run has received are forgotten after five minutes", () => {
    jest.useFakeTimers();
    try {
      const run = {};
      isRepeated(run, received(1));
      jest.advanceTimersByTime(299_000);
      expect(isRepeated(run, received(1))).toBe(true);
      jest.advanceTimersByTime(2_000);
      expect(isRepeated(run, received(1))).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });

  it("an emission that passed the run is repeated, with and without an id of its own", () => {
    const run = {};
    const { target } = received(1);

    expect(isRepeated(run, { target, headers: { [viaHeader]: `${idOf(7)}, ${runIdOf(run)}` } })).toBe(true);
    expect(isRepeated(run, { target, headers: { [viaHeader]: `${idOf(7)}, ${runIdOf({})}` } })).toBe(false);
  });
});
