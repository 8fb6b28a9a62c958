import { rm } from "node:fs/promises";
import { projectFolder } from "./project";

/** Once per run of jest, at its end. */
export default async function removeProject(): Promise<void> {
  await rm(projectFolder(), { recursive: true, force: true });
}
