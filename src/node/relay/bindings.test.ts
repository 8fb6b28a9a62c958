import { createServer, type AddressInfo } from "node:net";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { startRelay } from "../../__tests__/support/bareRelay";
import type { TunnelRelayConfig } from "./tunnelRelayConfig";

const pull = { kind: "tcp", mode: "pull" };

async function greeted(config: Partial<TunnelRelayConfig> = {}) {
  const relay = await startRelay(config);
  const bare = await bareDriver(relay.url);
  await bare.greet();
  return {
    relay,
    bare,
    async [Symbol.asyncDispose]() {
      await bare[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

describe("A BIND that cannot be", () => {
  it.each([
    ["of another kind and mode", { kind: "tcp", mode: "expose", host: "10.0.0.1", containerPort: 22 }, "INVALID_KIND"],
    ["of http that is pulled", { kind: "http", mode: "pull" }, "INVALID_KIND"],
    ["of a pulled port by takeover", { ...pull, takeover: true }, "INVALID_KIND"],
    ["at another address, before its port is looked at", { host: "10.0.0.1", containerPort: 22 }, "INVALID_HOST"],
    ["of a pulled port at a name", { ...pull, host: "example.com" }, "INVALID_HOST"],
    ["at all addresses", { ...pull, host: "0.0.0.0" }, "INVALID_HOST"],
    ["by a name that is reserved", { name: "www" }, "INVALID_HOST"],
    ["by a name that is no label", { name: "-a" }, "INVALID_HOST"],
    ["on a port below 80", { containerPort: 79 }, "PRIVILEGED_PORT"],
    ["on a port below 1024", { containerPort: 1_023 }, "PRIVILEGED_PORT"],
    ["on a pulled port below 1024", { ...pull, containerPort: 80 }, "PRIVILEGED_PORT"],
    ["on no port", { containerPort: 65_536 }, "RESERVED_PORT"],
    ["on half a port", { containerPort: 1.5 }, "RESERVED_PORT"],
  ])("%s, is answered with its code, and not to be tried again", async (_title, fields, code) => {
    await using story = await greeted();

    expect(await story.bare.bind(fields)).toMatchObject({ t: "BIND_ERR", req: 1, code, retryable: false });
  });

  it("below 80 is refused also where the operator allows low ports", async () => {
    await using story = await greeted({ allowPrivileged: { expose: true, pull: true } });

    expect(await story.bare.bind({ containerPort: 79 })).toMatchObject({ code: "PRIVILEGED_PORT" });
  });

  it("on the relay's own port is refused, also by a session that is full", async () => {
    await using story = await greeted({ limits: { maxBindings: 1 } });
    const { port } = story.relay.relay;
    await story.bare.bind();

    expect(await story.bare.bind({ containerPort: port })).toMatchObject({ code: "RESERVED_PORT", retryable: false });
  });

  it("on a port of another program is refused for now", async () => {
    await using story = await greeted();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;

    const answer = await story.bare.bind({ containerPort: port });
    await new Promise((resolve) => other.close(resolve));

    expect(answer).toMatchObject({ code: "PORT_IN_USE", retryable: true });
  });

  it("is told of its session's number before it is told who has the port", async () => {
    await using story = await greeted({ limits: { maxBindings: 1 } });
    await using other = await bareDriver(story.relay.url, { token: "bert" });
    await other.greet();
    const held = (await other.bind({ name: "web" })) as { containerPort: number };
    const own = (await story.bare.bind({ name: "own" })) as { containerPort: number };

    for (const fields of [{ name: "web" }, { containerPort: held.containerPort }, { name: "web", takeover: true }]) {
      expect(await story.bare.bind(fields)).toMatchObject({ code: "BIND_CAP_EXCEEDED", retryable: false });
    }
    expect(await story.bare.bind({ name: "other", containerPort: own.containerPort })).toMatchObject({
      code: "BIND_CAP_EXCEEDED",
    });
    expect(await story.bare.bind({ name: "own" })).toMatchObject({ t: "BIND_OK", containerPort: own.containerPort });
  });
});
