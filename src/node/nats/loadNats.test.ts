import { natsClient, natsConnection, natsExposure, natsIdempotencyStore } from ".";
import { notInstalled } from "./loadNats";

it("the entry names the packages to install where one is missing", () => {
  const cause = new Error("Cannot find package");

  expect(notInstalled("@nats-io/obj", cause)).toMatchObject({
    message:
      '@bluelibs/runner/nats needs the package "@nats-io/obj", which is not installed: npm install ' +
      "@nats-io/transport-node @nats-io/jetstream @nats-io/kv @nats-io/obj",
    cause,
  });
});

it.each([
  [{}, "natsConnection.servers must be an address"],
  [{ servers: "nats://user:secret@host" }, "natsConnection.servers must be an address"],
  [{ servers: "nats://a", credentials: { user: "a" } }, "natsConnection.credentials must be { token }"],
  [{ servers: "nats://a", server: "b" }, "natsConnection.server is not known. Did you mean natsConnection.servers?"],
  [{ servers: "nats://a", inboxPrefix: "a.>" }, "natsConnection.inboxPrefix must be a subject without wildcards"],
])("natsConnection refuses %j as its config", (config, message) => {
  expect(() => natsConnection.with(config as never)).toThrow(message);
});

it.each([
  [{ namespace: "a.b" }, "natsClient.namespace must be 1 to 32 letters"],
  [{ namespace: "a", timeoutMs: "5" }, "natsClient.timeoutMs must be a number"],
  [{ namespace: "a", auth: {} }, "natsClient.auth.token must be a string"],
])("natsClient refuses %j as its config", (config, message) => {
  expect(() => natsClient(config as never)).toThrow(message);
});

it.each([
  [{ namespace: "a" }, "natsExposure.group must be 1 to 32 letters"],
  [{ namespace: "a", group: "g", auth: { cookie: { name: "a" } } }, "natsExposure.auth.cookie is not known"],
  [{ namespace: "a", group: "g", auth: { token: 5 } }, "natsExposure.auth.token must be a string"],
  [{ namespace: "a", group: "g", prefixes: [""] }, "natsExposure.prefixes must be a list"],
])("natsExposure refuses %j as its config", (config, message) => {
  expect(() => natsExposure.with(config as never)).toThrow(message);
});

it.each([
  [{}, "natsIdempotencyStore.namespace must be 1 to 32 letters"],
  [{ namespace: "a", replicas: 0 }, "natsIdempotencyStore.replicas must be 1 to 5"],
  [{ namespace: "a", maxTtlMs: "1d" }, "natsIdempotencyStore.maxTtlMs must be a number"],
  [
    { namespace: "a", maxTtlM: 5 },
    "natsIdempotencyStore.maxTtlM is not known. Did you mean natsIdempotencyStore.maxTtlMs?",
  ],
])("natsIdempotencyStore refuses %j as its config", (config, message) => {
  expect(() => natsIdempotencyStore.with(config as never)).toThrow(message);
});
