import { z } from "zod";
import { Errors, r, type ContractLockFile } from "../../../index";
import { startExposure, token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import {
  boot,
  listener,
  pullLock,
  pullWritten,
  remote,
  serveByNode,
  written,
  type Detail,
  type TestServer,
} from "../../support/verifiedShop";

let lock: ContractLockFile;
beforeAll(async () => void (lock = await pullWritten()));

it("a tunnel that hears events says which of them the server does not let it listen to", async () => {
  await using server = await serveByNode(Object.values(written), "schemas");
  const tunnel = r.tunnel
    .client("app.shop")
    .hears([remote.placed])
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .verify("throw")
    .build();

  const error = await rejectionOf(boot(tunnel));

  expect(error).toMatchObject({
    data: {
      differences: [
        { kind: "event", id: "shop.events.placed", message: "the server does not let this caller listen to it" },
      ],
    },
  });
});

describe("a tunnel that hears events of a server whose payload may change", () => {
  const placedOf = (payload: z.ZodType) => r.event("shop.events.placed").payloadSchema(payload).build();
  const placed = placedOf(z.object({ amount: z.number() }));
  const shorter = placedOf(z.object({}));
  const longer = placedOf(z.object({ amount: z.number(), note: z.string() }));
  const heard = r.tunnel.server("shop.heard").subscribable(["shop.events.placed"]).build();

  /** @param emits whether callers may emit the event as well */
  async function serve(event: ReturnType<typeof placedOf>, contract: Detail, { emits = false } = {}) {
    const exposure = await startExposure(emits ? [event] : [], { contract }, emits ? [heard] : [event, heard]);
    return {
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      [Symbol.asyncDispose]: () => exposure[Symbol.asyncDispose](),
    };
  }
  const hearing = ({ baseUrl }: TestServer, written?: ContractLockFile) =>
    r.tunnel
      .client("app.shop")
      .dependencies({ listener })
      .hears([remote.placed])
      .http({ baseUrl, auth: { token } })
      .verify("throw", written)
      .build();

  it.each(["hashes", "schemas"] as const)(
    "says nothing where the payload is that of the lock, as the server shows its %s",
    async (contract) => {
      await using server = await serve(placed, "schemas");
      const written = await pullLock(server);
      await using same = await serve(placed, contract);

      expect(written.events).toMatchObject({ "shop.events.placed": { access: ["subscribe"] } });
      expect(await boot(hearing(same, written))).toEqual([]);
    },
  );

  it("fails the boot where the payload lacks what it had, and lets pass what it has more", async () => {
    await using before = await serve(placed, "schemas");
    const written = await pullLock(before);
    await using lacking = await serve(shorter, "schemas");
    await using having = await serve(longer, "schemas");

    const error = await rejectionOf(boot(hearing(lacking, written)));

    const message = "heard payload /amount: removed";
    expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
      { level: "breaking", kind: "event", id: "shop.events.placed", message },
    ]);
    expect(await boot(hearing(having, written))).toMatchObject([{ level: "info" }]);
  });

  it("does not mind what became of emitting, which it does not do", async () => {
    await using before = await serve(placed, "schemas", { emits: true });
    await using now = await serve(placed, "schemas");

    expect(await boot(hearing(now, await pullLock(before)))).toEqual([]);
    expect(await boot(hearing(before, await pullLock(now)))).toEqual([]);
  });

  it("says that the lock does not have what it hears where that may be emitted alone", async () => {
    await using server = await serve(placed, "schemas", { emits: true });
    const error = await rejectionOf(boot(hearing(server, lock)));

    expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
      { level: "unknown", kind: "event", id: "shop.events.placed", message: "the lock does not have it" },
    ]);
  });

  it("finds that an event may no longer be emitted, though it may be heard", async () => {
    await using server = await serve(placed, "schemas");
    const emitting = r.tunnel
      .client("app.shop")
      .events([remote.placed])
      .http({ baseUrl: server.baseUrl, auth: { token } })
      .verify("throw")
      .build();
    const error = await rejectionOf(boot(emitting));

    const message = "the server does not have it, or not for this caller";
    expect(error).toMatchObject({ data: { differences: [{ level: "breaking", id: "shop.events.placed", message }] } });
  });
});
