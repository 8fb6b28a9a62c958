import { soldOut } from "./contractDefinitions";
import { describeRows, openCarrier, type CarrierRow } from "./carriers";

/** What `client.safe` resolves to, whatever the call travels by. */
export function describeSafeCalls(carriers: readonly CarrierRow[]): void {
  describeRows("client.safe never rejects", carriers, (row) => {
    it("it resolves to the value, to a declared error as such, and to any other error as undeclared", async () => {
      await using carrier = await openCarrier(row);
      const safe = (name: string, input: object = {}) =>
        carrier.client.safe<unknown, unknown>(`contract.${name}`, row.dress(input));

      const [fine, declared, hidden, absent] = await Promise.all([
        safe("echo", { value: 1 }),
        safe("sell", { sku: "tea", since: new Date(0) }),
        safe("crash"),
        safe("absent"),
      ]);

      expect(fine).toEqual({ ok: true, value: 1 });
      expect(declared).toMatchObject({ ok: false, declared: true });
      expect(soldOut.is(declared.error) && declared.error.data.sku).toBe("tea");
      expect(hidden).toMatchObject({ ok: false, declared: false, error: { code: "INTERNAL_ERROR" } });
      expect(absent).toMatchObject({ ok: false, declared: false, error: { name: "TunnelError" } });
    });

    it("it resolves to the failure of a client that is closed", async () => {
      await using carrier = await openCarrier(row);
      const client = carrier.connect({});
      await client.close();

      expect(await client.safe("contract.echo", row.dress({ value: 1 }))).toMatchObject({ ok: false, declared: false });
    });
  });
}
