import { createServer } from "node:http";
import { Errors, type ContractLockFile, type RegisterableItems } from "../../../index";
import { createHttpMixedClient, r as node, run as runInNode } from "../../../node/index";
import { token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { boot, changed, listener, open, pullWritten, remote, serveByNode, written } from "../../support/verifiedShop";

let lock: ContractLockFile;
beforeAll(async () => void (lock = await pullWritten()));

describe("a tunnel to several endpoints, as in a rolling deployment, asks each of them", () => {
  const over = (urls: readonly string[], written: ContractLockFile | undefined = lock, options = {}) => {
    const tunnel = nodeRouting().http({ endpoints: urls, auth: { token } });
    return tunnel.verify("throw", written, options).build();
  };
  const bootInNode = (tunnel: RegisterableItems) => boot(tunnel, undefined, runInNode);
  const nodeRouting = () =>
    node.tunnel.client("app.shop").dependencies({ listener }).tasks([remote.charge]).events([remote.placed]);

  it("and says nothing where all are what the lock says", async () => {
    await using one = await serveByNode(Object.values(written), "hashes");
    await using other = await serveByNode(Object.values(written), "schemas");

    expect(await bootInNode(over([one.baseUrl, other.baseUrl]))).toEqual([]);
  });

  it("and fails the boot where one differs, which it names, whichever is the first", async () => {
    await using one = await serveByNode(Object.values(written), "schemas");
    await using old = await serveByNode(Object.values(changed), "schemas");
    for (const urls of [
      [one.baseUrl, old.baseUrl],
      [old.baseUrl, one.baseUrl],
    ]) {
      const error = await rejectionOf(bootInNode(over(urls)));

      expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
        {
          level: "breaking",
          kind: "task",
          id: "shop.tasks.charge",
          message: `input /currency: required (of ${old.baseUrl})`,
        },
      ]);
    }
  });

  it("and fails the boot where one, which is older, does not say its contract", async () => {
    await using one = await serveByNode(Object.values(written), "schemas");
    await using old = await serveByNode(Object.values(written), undefined);

    const error = await rejectionOf(bootInNode(over([one.baseUrl, old.baseUrl])));

    expect(error).toMatchObject({
      id: "runner.errors.contractUnverified",
      data: { code: "NO_CONTRACT", reason: `of ${old.baseUrl}: the server does not say its contract.` },
    });
  });

  it("and boots, with a warning, where one is down or does not reply in time, and the others are what the lock says", async () => {
    await using one = await serveByNode(Object.values(written), "schemas");
    const closed = createServer();
    const down = await open(closed);
    await new Promise((resolve) => closed.close(resolve));
    const silent = createServer();
    const hanging = await open(silent);

    const logs = await bootInNode(over([one.baseUrl, down]));
    const later = await bootInNode(over([hanging, one.baseUrl], lock, { timeoutMs: 1_000 }));
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));

    expect(logs).toMatchObject([{ level: "warn", data: { tunnelId: "app.shop", url: down } }]);
    expect(later).toMatchObject([{ level: "warn", data: { tunnelId: "app.shop", url: hanging } }]);
  });

  it("and fails the boot where all are down", async () => {
    const closed = createServer();
    const down = await open(closed);
    await new Promise((resolve) => closed.close(resolve));

    const error = await rejectionOf(bootInNode(over([down, down.replace("127.0.0.1", "localhost")])));

    expect(error).toMatchObject({ id: "runner.errors.contractUnverified" });
  });

  it("and tells an application the same by client.discoverEach()", async () => {
    await using one = await serveByNode(Object.values(written), "hashes");
    await using client = createHttpMixedClient({ endpoints: [one.baseUrl, "http://127.0.0.1:1"], auth: { token } });

    expect(await client.discoverEach()).toMatchObject([
      { url: one.baseUrl, discovery: { contract: { hash: lock.hash } } },
      { url: "http://127.0.0.1:1", error: {} },
    ]);
    await using single = createHttpMixedClient({ baseUrl: one.baseUrl, auth: { token } });
    expect(await single.discoverEach()).toMatchObject([{ url: one.baseUrl, discovery: {} }]);
  });
});
