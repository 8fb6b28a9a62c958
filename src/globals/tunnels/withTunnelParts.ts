import * as hearing from "../../tunnels/routing/hearEvents";
import * as verifying from "../../tunnels/routing/verifyContract";
import { provideParts } from "../lateParts";
import * as memory from "./serveMemory";

/** Has at hand what some tunnels need, and returns what refers to it. */
export function withTunnelParts<T>(value: T): T {
  provideParts({ memory: () => memory, hearing: () => hearing, verifying: () => verifying });
  return value;
}
