import { natsConnection, natsExposure } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import { describeBytes } from "../contract/byteSuites";
import { describeCalls } from "../contract/callSuites";
import { common, ofNode, type CarrierRow } from "../contract/carriers";
import { startContractApp, token, type ContractApp } from "../contract/contractApp";
import { describeItems } from "../contract/itemSuites";
import { describeSafeCalls } from "../contract/safeSuites";
import { describeScopes } from "../contract/scopeSuites";
import { describeSentItems } from "../contract/sentItemSuites";
import { startNatsServer, type NatsServer } from "./support/natsServer";

let broker: NatsServer;
let link: NatsLink;
beforeAll(async () => {
  broker = await startNatsServer();
  link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
});
afterAll(async () => {
  await link.close();
  await broker[Symbol.asyncDispose]();
});

/** Each application that is served has a namespace of its own. */
const namespaces = new WeakMap<ContractApp, string>();
let servedCount = 0;

const nats: CarrierRow = {
  name: "NATS",
  async serve({ also = () => [], ...options }) {
    const namespace = `contract${(servedCount += 1)}`;
    const served = await startContractApp({
      ...options,
      also: (waits) => [
        ...also(waits),
        natsConnection.with({ servers: broker.url }),
        natsExposure.with({
          namespace,
          group: "contract",
          auth: { token },
          prefixes: ["contract", "app"],
          dangerouslyAllowOpenExposure: options.open ?? false,
        }),
      ],
    });
    namespaces.set(served, namespace);
    return served;
  },
  connect: (served, options) =>
    createNatsClient({ ...common(options), link, namespace: namespaces.get(served) ?? "", offlineMs: 1000 }),
  dress: (input) => input,
  timesOutWith: "REQUEST_TIMEOUT",
  textLimitBytes: 2 * 1024 * 1024,
  origin: "exposure:nats",
  can: {
    ...{ ...ofNode, values: true, files: [], octets: false, streamedReplies: false },
    ...{ items: "to the caller", subscriptions: false },
  },
};

describeCalls([nats]);
describeSafeCalls([nats]);
describeScopes([nats]);
describeBytes([nats]);
describeItems([nats]);
describeSentItems([nats]);
