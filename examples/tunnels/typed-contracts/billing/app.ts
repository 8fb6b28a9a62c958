/** The application of the server, which `runner contract` reads without running it. */
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { charge, insufficientFunds, statement } from "./tasks";

const open = r.tunnel.server("billing.open").tasks([charge, statement]).build();
const exposure = nodeExposure.with({
  // Callers may compare what they were written against with what is here.
  http: { listen: { port: 0 }, auth: { token: "dev-secret" }, contract: "schemas", drain: { quietMs: 0 } },
});

export default r.resource("billing").register([charge, statement, insufficientFunds, open, exposure]).build();
