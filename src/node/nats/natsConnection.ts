import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { symbolFramework } from "../../lib/symbols";
import { resolveConnectionConfig, type NatsConnectionConfig } from "./connectionConfig";
import { NatsLink } from "./link";

/** The value of `natsConnection`. */
export interface NatsConnectionHandle {
  /** Whether messages leave at once. */
  readonly isOnline: boolean;
}

/** Types of the library stay out of the declarations of the entry. */
const symbolLink: unique symbol = /* @__PURE__ */ Symbol.for("runner.natsLink");

/** What clients and servers of a run share. @throws {TypeError} the value is none of `natsConnection` */
export function linkOf(handle: NatsConnectionHandle): NatsLink {
  const link = (handle as { readonly [symbolLink]?: NatsLink } | undefined)?.[symbolLink];
  if (link === undefined) throw new TypeError("A NATS connection is expected, the value of natsConnection.");
  return link;
}

/**
 * The connection of a run to a NATS server, shared by all that goes over it, and drained when the run is disposed of. It
 * reconnects for ever; the boot is rejected when it does not come about.
 *
 * Needs the package `@nats-io/transport-node`.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/NATS.md
 */
export const natsConnection: IResource<NatsConnectionConfig, Promise<NatsConnectionHandle>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "globals.resources.natsConnection",
      configSchema: { parse: checkConfig },
      init: connect,
      dispose: async (handle: NatsConnectionHandle) => linkOf(handle).close(),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** Checks at `.with(...)`, so that a mistake shows where it was made. */
function checkConfig(config: NatsConnectionConfig): NatsConnectionConfig {
  resolveConnectionConfig(config);
  return config;
}

async function connect(config: NatsConnectionConfig): Promise<NatsConnectionHandle> {
  return handleOf(await NatsLink.open(resolveConnectionConfig(config)));
}

export const handleOf = (link: NatsLink): NatsConnectionHandle =>
  Object.defineProperties({} as NatsConnectionHandle, {
    isOnline: { enumerable: true, get: () => link.isOnline },
    [symbolLink]: { value: link },
  });
