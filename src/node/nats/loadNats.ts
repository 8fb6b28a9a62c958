/** The packages behind the entry, each loaded with what needs it. */
interface NatsPackages {
  readonly "@nats-io/transport-node": typeof import("@nats-io/transport-node");
  readonly "@nats-io/jetstream": typeof import("@nats-io/jetstream");
  readonly "@nats-io/kv": typeof import("@nats-io/kv");
  readonly "@nats-io/obj": typeof import("@nats-io/obj");
}

/** In a `try`, because bundlers fail over a package that is not there, unless the code says that it expects this. */
const importers: { readonly [K in keyof NatsPackages]: () => Promise<NatsPackages[K]> } = {
  async "@nats-io/transport-node"() {
    try {
      return await import("@nats-io/transport-node");
    } catch (error) {
      throw notInstalled("@nats-io/transport-node", error);
    }
  },
  async "@nats-io/jetstream"() {
    try {
      return await import("@nats-io/jetstream");
    } catch (error) {
      throw notInstalled("@nats-io/jetstream", error);
    }
  },
  async "@nats-io/kv"() {
    try {
      return await import("@nats-io/kv");
    } catch (error) {
      throw notInstalled("@nats-io/kv", error);
    }
  },
  async "@nats-io/obj"() {
    try {
      return await import("@nats-io/obj");
    } catch (error) {
      throw notInstalled("@nats-io/obj", error);
    }
  },
};

/**
 * Loads one of the packages that `@bluelibs/runner/nats` works with.
 *
 * @throws {Error} (as a rejection) it is not installed; the message says how to install what the entry needs
 */
export const loadNats = <K extends keyof NatsPackages>(name: K): Promise<NatsPackages[K]> => importers[name]();

/** @param cause what the import failed with */
export const notInstalled = (name: string, cause: unknown): Error =>
  new Error(
    `@bluelibs/runner/nats needs the package "${name}", which is not installed: npm install ` +
      "@nats-io/transport-node @nats-io/jetstream @nats-io/kv @nats-io/obj",
    { cause },
  );
