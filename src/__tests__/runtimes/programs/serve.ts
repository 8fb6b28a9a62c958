/** Serves the application, until a signal ends it. */
import { ledger, startServer } from "../app/server";

const { baseUrl } = await startServer({ items: [ledger] });
console.log(`ready ${baseUrl}`);
