import { readFileSync } from "node:fs";

/** Descriptors that the rest of a process needs: files, timers of libraries, outgoing connections. */
const reserved = 256;
const mostDescriptors = 65_536;
const defaultLimit = 4_096;

/**
 * How many sockets and listeners a relay may hold, so that it says so before the operating system does.
 *
 * @param fdLimit descriptors of the process, where the system does not tell
 */
export function defaultFdPermits(fdLimit: number | undefined): number {
  return Math.max(1, Math.min(readLimit() ?? fdLimit ?? defaultLimit, mostDescriptors) - reserved);
}

/** Linux tells a process its limits; Node has no call for them. */
function readLimit(): number | undefined {
  try {
    const [, soft = ""] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === "unlimited" ? mostDescriptors : Number(soft) || undefined;
  } catch {
    return undefined;
  }
}

/** Permits for sockets and listeners: one for each. */
export class FdPermits {
  readonly #total: number;
  #taken = 0;

  constructor(total: number) {
    this.#total = total;
  }

  get available(): number {
    return this.#total - this.#taken;
  }

  /** @returns what gives the permit back, once; `undefined` where none is left */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#total) return undefined;
    this.#taken += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#taken -= 1;
      isHeld = false;
    };
  }
}
