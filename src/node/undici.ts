import type { Pool } from "undici";
import { importCommonJs } from "./commonJs";

/** As much of the package as pools need. */
export type Undici = Pick<typeof import("undici"), "Pool">;

/** Loads the package, which takes some 50 ms, once per process. Another package may stand in for it: see `canPool`. */
export const importUndici = (): Promise<Partial<Undici> | undefined> =>
  importCommonJs<Partial<Undici>>(() => import("undici"));

/** Whether the package can send requests over a pool here. */
export const canPool = (undici: Partial<Undici> | undefined): undici is Undici =>
  isReal(undici) && mayReadEnvironment();

/** Bun has a stand-in of its own for the package, which can fetch, and nothing that lies below. */
const isReal = (undici: Partial<Undici> | undefined): undici is Undici =>
  typeof (undici?.Pool?.prototype as Partial<Pool> | undefined)?.dispatch === "function";

/** undici reads the environment when it connects, which Deno refuses without `--allow-env`. */
function mayReadEnvironment(): boolean {
  try {
    return process.env["JEST_WORKER_ID"] !== null;
  } catch {
    return false;
  }
}
