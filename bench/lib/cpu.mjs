import { readFileSync } from "node:fs";

/** CPU time of this process so far, all threads, in milliseconds. */
export function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The most memory this process ever held. */
export function peakMb() {
  try {
    // `maxRSS` starts with what the parent held at the fork.
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}
