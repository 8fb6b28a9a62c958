import {
  contractMismatchError,
  contractUnverifiedError,
  invalidTunnelError,
  type ContractChange,
} from "../../errors/bootErrors";
import { describeGiven } from "../../lib/describeValue";
import { isError } from "../../errors/normaliseThrown";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { abortAfter } from "../../lib/timers";
import type { Logger } from "../../runtime/logger";
import type { Store } from "../../runtime/run/store";
import { parseContractLock, type ContractLock } from "../contract/contractLock";
import { readDiscovery, type Discovery } from "../contract/readDiscovery";
import { differencesOf, type NamedIds } from "../contract/verifiedContract";
import { resolveSelector } from "./selectors";
import type { TunnelRunner, TunnelVerification } from "./tags";
import { isClientTunnel } from "./tunnelResource";

/** What verifying works on. */
export interface VerifyingRun {
  readonly store: Store;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/**
 * Compares what a client tunnel names with what its server says of it. Additions are logged alone, whatever the mode: every call goes on working.
 *
 * @throws {contractMismatchError} (as a rejection) with "throw": the server lacks an id, or something differs from the lock
 * @throws {contractUnverifiedError} (as a rejection) with "throw": the server does not say its contract, or the lock is none
 * @throws {invalidTunnelError} (as a rejection) there is no such mode, or the time is no number
 */
export async function verifyContract(
  tunnel: TunnelRunner,
  tunnelId: string,
  { store, logger }: VerifyingRun,
): Promise<void> {
  const { mode, lock, timeoutMs } = checked(tunnel.verify as TunnelVerification, tunnelId);
  if (!isClientTunnel(tunnel)) return;
  const fail = (error: Error & { readonly data: object }): void => {
    if (mode === "throw") throw error;
    void logger.warn(error.message, { source: tunnelId, data: error.data });
  };

  let differences: readonly ContractChange[];
  try {
    const written = lock === undefined ? undefined : readLock(lock);
    differences = differencesOf(namedBy(tunnel, store), await askContract(tunnel, timeoutMs), written);
  } catch (error) {
    return fail(contractUnverifiedError.create({ tunnelId, ...reasonOf(error) }));
  }
  const additions = differences.filter(({ level }) => level === "addition");
  const others = differences.filter(({ level }) => level !== "addition");
  if (additions.length > 0) {
    const message = `The server of tunnel "${tunnelId}" has more than the lock says; every call goes on working.`;
    void logger.info(message, { source: tunnelId, data: { tunnelId, differences: additions } });
  }
  if (others.length > 0) fail(contractMismatchError.create({ tunnelId, differences: others }));
}

/** @throws {invalidTunnelError} */
function checked(verification: TunnelVerification, tunnelId: string): TunnelVerification & { timeoutMs: number } {
  const { mode, timeoutMs = 5_000 } = verification;
  const wrong = (what: string, fix: string): Error =>
    invalidTunnelError.create({ detail: `Tunnel "${tunnelId}" has ${what}.`, fix });
  if (mode !== "warn" && mode !== "throw") {
    throw wrong(`verify mode ${describeGiven(mode)}`, 'say "warn", "throw" or "off"');
  }
  if (typeof timeoutMs === "number" && timeoutMs > 0) return { ...verification, timeoutMs };
  throw wrong(`verify timeoutMs ${describeGiven(timeoutMs)}`, "make it a number of milliseconds above 0");
}

/** Ids of what is routed and heard. */
function namedBy({ tasks, events, hears }: TunnelRunner, store: Store): NamedIds {
  const known = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const ids = (definitions: readonly { readonly id: string }[]) => definitions.map(({ id }) => id);
  return {
    tasks: ids(resolveSelector("Task", tasks, new Map([...store.tasks].map(([id, { task }]) => [id, task])))),
    events: ids(resolveSelector("Event", events, known)),
    heard: ids(resolveSelector("Event", hears, known)),
  };
}

/** Why something cannot be verified, and what to do about it. */
class Unverified extends Error {
  constructor(
    message: string,
    readonly fix: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

/** @throws {Unverified} it is none */
function readLock(lock: unknown): ContractLock {
  try {
    return parseContractLock(lock);
  } catch (error) {
    throw new Unverified(`the lock is none. ${(error as Error).message}`, "write it by: runner contract pull");
  }
}

/** @throws {Error} whatever keeps the server from saying it, within the time */
async function askContract({ client }: TunnelRunner, timeoutMs: number): Promise<Discovery> {
  if (typeof client?.discover !== "function") {
    throw new Unverified(
      "its client cannot ask the server.",
      'return { client } beside "verify" from the init of the tunnel: every client of this package can ask',
    );
  }
  const late = `the server did not say its contract within ${timeoutMs} ms.`;
  const { expired, stop } = abortAfter(timeoutMs, () => new Unverified(late, "see whether it is up", "TIMEOUT"));
  try {
    const discovery = readDiscovery(await settleOrAbort(client.discover({ signal: expired }), expired));
    if (discovery?.contract !== undefined) return discovery;
  } catch (error) {
    // Published versions 5.x are asked by GET.
    throw (error as { readonly code?: unknown }).code === "METHOD_NOT_ALLOWED" ? silent() : error;
  } finally {
    stop();
  }
  throw silent();
}

const silent = (): Unverified =>
  new Unverified(
    "the server does not say its contract.",
    'set http.contract: "hashes" or "schemas" in the exposure of the server; versions before 6.0 cannot say it',
    "NO_CONTRACT",
  );

function reasonOf(error: unknown): { reason: string; code?: string; fix?: string } {
  if (!isError(error)) return { reason: String(error) };
  const { message, code, fix } = error as Error & { readonly code?: unknown; readonly fix?: string };
  return { reason: message, ...(typeof code === "string" && { code }), ...(fix !== undefined && { fix }) };
}
