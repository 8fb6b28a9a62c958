/** What the shop calls. It keeps nothing: a call that fails is made again by the shop, with the same key. */
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { composition } from "./composition";
import { charge, paid, type Order } from "./contract";
import { serve } from "./service";
import { auth } from "./settings";

const { gateway } = await composition();

/** Placed is what is paid, and of which a mail was sent or is certain to be. */
const place = r
  .task("gateway.tasks.place")
  .dependencies({ charge, paid })
  .run(async (order: Order, services) => {
    const receipt = await services.charge(order);
    await services.paid({ orderId: order.id, receipt });
    return receipt;
  })
  .build();

const reachable = r.tunnel.server("gateway.tunnels.reachable").tasks([place.id]).build();
const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth } });

await serve("gateway", [charge, paid, place, reachable, exposure, ...gateway()]);
