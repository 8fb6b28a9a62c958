/** Serves the application, until a signal ends it. */
import { ledger, startServer } from "../app/server";

// Bundles in CommonJS have no `await` at their top level.
void startServer({ items: [ledger] }).then(({ baseUrl }) => console.log(`ready ${baseUrl}`));
