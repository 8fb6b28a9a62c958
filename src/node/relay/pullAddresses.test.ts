import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { startRelay } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { FrameType } from "../../relay/frames";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

async function greeted() {
  const relay = await startRelay();
  const bare = await bareDriver(relay.url);
  await bare.greet();
  return {
    bare,
    async [Symbol.asyncDispose]() {
      await bare[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** Connects, and resolves with the code of what went wrong, if anything did. */
async function reach(host: string, port: number): Promise<string | undefined> {
  const socket = connect({ host, port });
  try {
    await soon(once(socket, "connect"));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

it.each([
  ["127.0.0.9", "127.0.0.9"],
  ["localhost", "localhost"],
])("a service that is pulled to %s is reached there, and not at another address of loopback", async (host, at) => {
  await using story = await greeted();
  const bound = await story.bare.bind({ kind: "tcp", mode: "pull", host });
  const { containerPort } = bound as { containerPort: number };

  const [there, elsewhere] = await Promise.all([reach(at, containerPort), reach("127.0.0.8", containerPort)]);
  const { payload } = await story.bare.nextFrame(FrameType.OPEN);

  expect(bound.t).toBe("BIND_OK");
  expect([there, elsewhere]).toEqual([undefined, "ECONNREFUSED"]);
  expect(Buffer.from(payload).readUInt32BE()).toBe((bound as { bindId: number }).bindId);
});

it("a service that is pulled to ::1 is reached there, where this machine has that address, and refused where it has not", async () => {
  await using story = await greeted();
  const bound = await story.bare.bind({ kind: "tcp", mode: "pull", host: "::1" });

  const outcome = bound.t === "BIND_OK" ? await reach("::1", bound.containerPort) : bound.code;

  expect(outcome).toBe(hasIpv6 ? undefined : "INTERNAL");
});
