import { tunnelExpose } from "../../../node";
import { startRelay, tellError, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

it.each(["http", "https"])(
  "a service over %s whose address the system refuses at once is not reachable",
  async (scheme) => {
    await using relay = await startRelay();
    // No TCP connection leads to all addresses: the attempt fails before anything is sent.
    await using handle = await tunnelExpose({ ...relay.driver, url: `${scheme}://255.255.255.255:9` });

    const replies = await soon(
      Promise.all([
        visit(handle.containerPort),
        visit(handle.containerPort, { method: "POST", body: Buffer.from("body") }),
        visit(handle.containerPort, { headers: { connection: "Upgrade", upgrade: "raw" } }),
      ]),
    );

    expect(replies.map(tellError)).toEqual(replies.map(() => [502, "LOCAL_CONNECT_FAILED", undefined]));
  },
);
