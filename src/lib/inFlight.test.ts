import { InFlight } from "./inFlight";

describe("InFlight", () => {
  it("InFlight is idle before anything entered it", async () => {
    await new InFlight().whenIdle();
  });

  it("InFlight tells everyone who waits as soon as the last one has left", async () => {
    const inFlight = new InFlight();
    const order: string[] = [];
    inFlight.enter();
    inFlight.enter();
    const waiting = ["first", "second"].map((name) => inFlight.whenIdle().then(() => order.push(name)));

    inFlight.leave();
    await Promise.resolve();
    order.push("one left");
    inFlight.leave();
    await Promise.all(waiting);

    expect(order).toEqual(["one left", "first", "second"]);
    expect(inFlight.count).toBe(0);
  });

  it("InFlight waits again for what entered later", async () => {
    const inFlight = new InFlight();
    inFlight.enter();
    const before = inFlight.whenIdle();
    inFlight.leave();
    await before;
    inFlight.enter();
    let isIdle = false;
    const after = inFlight.whenIdle().then(() => (isIdle = true));

    await Promise.resolve();
    expect(isIdle).toBe(false);
    inFlight.leave();
    await after;
  });
});
