/** As `edgeOnWorkers.ts`, where the runtime has no other way to its AsyncLocalStorage than to import it. */
import { AsyncLocalStorage } from "node:async_hooks";
import worker from "./edgeOnWorkers";

Object.assign(globalThis, { AsyncLocalStorage });

// It is looked up when a context is first used, so that it may come after the application.
export default worker;
