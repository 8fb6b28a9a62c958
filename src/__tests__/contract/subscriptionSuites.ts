import { audited, placed, shipped } from "../integration/subscriptions/subscriptionDefinitions";
import { rejectionOf } from "../support/failures";
import { begin, listen } from "../support/subscribing";
import { describeRows, openCarrier, type CarrierRow, type OpenCarrier } from "./carriers";

/** What every carrier keeps of subscriptions. */
export function describeSubscriptions(carriers: readonly CarrierRow[]): void {
  const rows = carriers.filter(({ can }) => can.subscriptions);
  const open = (row: CarrierRow): Promise<OpenCarrier> =>
    openCarrier(row, { also: () => [placed, shipped, audited], subscribable: [placed, shipped] });

  describeRows("events of another process", rows, (row) => {
    let carrier: OpenCarrier;
    beforeAll(async () => void (carrier = await open(row)));
    afterAll(() => carrier[Symbol.asyncDispose]());
    const emit = (order: number) => carrier.served.app.emitEvent(placed, { order });

    it("come in order, with values of every type that calls carry", async () => {
      await using listening = await listen((options) => carrier.client.subscribe([placed, shipped], options));

      await carrier.served.app.emitEvent(placed, { order: 1, at: new Date(0) });
      await carrier.served.app.emitEvent(shipped, { parcel: "a\nb" });
      await emit(2);

      expect(await listening.payloads(3)).toEqual([{ order: 1, at: new Date(0) }, { parcel: "a\nb" }, { order: 2 }]);
      expect(listening.seen.map((each) => each.event)).toEqual([placed.id, shipped.id, placed.id]);
    });

    it("reach all that listen, and each what it asks for", async () => {
      await using orders = await listen((options) => carrier.client.subscribe([placed], options));
      await using parcels = await listen((options) => carrier.client.subscribe([shipped.id], options));

      await emit(3);
      await carrier.served.app.emitEvent(shipped, { parcel: "b" });

      expect((await orders.next()).payload).toEqual({ order: 3 });
      expect((await parcels.next()).payload).toEqual({ parcel: "b" });
    });

    it("are not heard after the loop was left", async () => {
      const listening = await listen((options) => carrier.client.subscribe([placed], options));
      await listening[Symbol.asyncDispose]();

      await emit(4);

      expect(await listening.end()).toEqual({ done: true, value: undefined });
    });

    it("go on behind a place that is known, with what was emitted since", async () => {
      let place: string;
      {
        await using first = await listen((options) => carrier.client.subscribe([placed], options));
        await emit(5);
        ({ id: place } = await first.next());
      }
      await emit(6);
      await emit(7);

      await using later = await listen((options) => carrier.client.subscribe([placed], options), {
        after: { [placed.id]: place },
      });

      expect(await later.payloads(2)).toEqual([{ order: 6 }, { order: 7 }]);
      expect(later.gaps).toEqual([]);
    });

    it.each([
      ["of another process", "0123456789abcdef-3"],
      ["that was never given", "anything else"],
    ])("say that events are missed behind a place %s, then go on", async (_name, place) => {
      await using listening = await listen((options) => carrier.client.subscribe([placed], options), {
        after: { [placed.id]: place },
      });

      await emit(8);

      expect((await listening.next()).payload).toEqual({ order: 8 });
      expect(listening.gaps).toEqual([{ event: placed.id, reason: "unknown", missed: null }]);
    });

    it("say that events are missed behind a place that is yet to come, then go on", async () => {
      await using now = await listen((options) => carrier.client.subscribe([placed], options));
      const [epoch = "", seq = ""] = (now.opened[0]?.[placed.id] ?? "").split("-");
      await using listening = await listen((options) => carrier.client.subscribe([placed], options), {
        after: { [placed.id]: `${epoch}-${Number(seq) + 1000}` },
      });

      await emit(9);

      expect((await listening.next()).payload).toEqual({ order: 9 });
      expect(listening.gaps).toEqual([{ event: placed.id, reason: "unknown", missed: null }]);
    });

    it.each([audited.id, "app.events.missing"])("are forbidden where they may not be listened to: %s", async (id) => {
      const refused = begin((options) => carrier.client.subscribe([placed, id], options));

      expect(await rejectionOf(refused.end())).toMatchObject({ code: "FORBIDDEN" });
    });

    it("end with the reason of the caller's signal", async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const listening = await listen((options) => carrier.client.subscribe([placed], options), {
        signal: controller.signal,
      });

      controller.abort(reason);

      expect(await rejectionOf(listening.end())).toBe(reason);
    });

    it("go on after the connections of the server were cut, without a gap", async () => {
      await using listening = await listen((options) => carrier.client.subscribe([placed], options));
      await emit(10);
      await listening.next();

      carrier.served.cutConnections();
      await emit(11);

      expect((await listening.next()).payload).toEqual({ order: 11 });
      expect(listening.gaps).toEqual([]);
    });
  });

  describeRows("the end of a client, and of a server", rows, (row) => {
    it("ends subscriptions without an error when the client closes", async () => {
      await using carrier = await open(row);
      const listening = await listen((options) => carrier.client.subscribe([placed], options));

      await carrier.client.close();

      expect(await listening.end()).toEqual({ done: true, value: undefined });
    });
  });
}
