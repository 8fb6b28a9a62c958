import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

/** How often the addresses of this machine are looked at while a session waits, in ms. */
const lookMs = 1_000;

/** The addresses at which others reach this machine; none where the system tells none. */
function addresses(): string {
  try {
    const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const others = all.filter(({ internal }) => !internal);
    return others
      .map(({ cidr, address }) => cidr ?? address)
      .sort()
      .join();
  } catch {
    return "";
  }
}

/**
 * Waits, and no longer than until the network of this machine has changed: what failed before may succeed now.
 *
 * @param signal ends the wait
 * @param read for tests: what is compared
 * @returns whether the network has changed
 */
export async function waitForNetwork(
  delayMs: number,
  signal: AbortSignal,
  read: () => string = addresses,
): Promise<boolean> {
  const before = read();
  const waiting = new AbortController();
  let hasChanged = false;
  const stop = (): void => waiting.abort();
  const look = (): void => {
    hasChanged = read() !== before;
    if (hasChanged) stop();
  };
  const looking = setInterval(look, lookMs);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  await delay(delayMs, undefined, { signal: waiting.signal, ref: true }).catch(() => {});
  clearInterval(looking);
  signal.removeEventListener("abort", stop);
  return hasChanged;
}
