import { provideParts } from "./lateParts";

/** Has the late parts loaded when they are first needed, and returns what refers to them. */
export function loadLate<T>(value: T): T {
  provideParts({
    fetchEdge: () => import("./fetch/startFetchExposure"),
    memory: () => import("./tunnels/serveMemory"),
    hearing: () => import("../tunnels/routing/hearEvents"),
    verifying: () => import("../tunnels/routing/verifyContract"),
  });
  return value;
}
