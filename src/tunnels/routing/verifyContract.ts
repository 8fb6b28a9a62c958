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
import { deliveryOf } from "../protocol/delivery";
import { parseContractLock, type ContractLock } from "../contract/contractLock";
import { readDiscovery, type Discovery } from "../contract/readDiscovery";
import { differencesOf, type NamedIds } from "../contract/verifiedContract";
import { resolveSelector } from "./selectors";
import type { EndpointDiscovery, TunnelClient, TunnelRunner, TunnelVerification } from "./tags";
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

  const named = namedBy(tunnel, store);
  let answers: readonly Answer[];
  let written: ContractLock | undefined;
  try {
    written = lock === undefined ? undefined : readLock(lock);
    answers = await askContracts(tunnel, timeoutMs);
  } catch (error) {
    return fail(contractUnverifiedError.create({ tunnelId, ...reasonOf(error) }));
  }
  const said = answers.filter((answer) => answer.discovery !== undefined);
  const silent = answers.filter((answer) => answer.discovery === undefined);
  const isDown = ({ error }: Answer): boolean => said.length > 0 && isUnreachable(error);
  for (const { url, error } of silent.filter(isDown)) {
    const { reason } = reasonOf(error);
    const message = `The contract of ${url}, an endpoint of tunnel "${tunnelId}", is not verified: ${reason}`;
    void logger.warn(message, { source: tunnelId, data: { tunnelId, url } });
  }
  const differences = differencesOfAll(
    said.map(({ url, discovery }) => [url, differencesOf(named, discovery as Discovery, written)]),
  );
  const additions = differences.filter(({ level }) => level === "addition");
  const others = differences.filter(({ level }) => level !== "addition");
  if (additions.length > 0) {
    const message = `The server of tunnel "${tunnelId}" has more than the lock says; every call goes on working.`;
    void logger.info(message, { source: tunnelId, data: { tunnelId, differences: additions } });
  }
  if (others.length > 0) fail(contractMismatchError.create({ tunnelId, differences: others }));
  const [unverified] = silent.filter((answer) => !isDown(answer));
  if (unverified === undefined) return;
  const { reason, ...facts } = reasonOf(unverified.error);
  const of = answers.length > 1 ? `of ${unverified.url}: ${reason}` : reason;
  fail(contractUnverifiedError.create({ tunnelId, ...facts, reason: of }));
}

/** What differs at some of several endpoints names them. */
function differencesOfAll(
  found: readonly (readonly [url: string, differences: readonly ContractChange[]])[],
): readonly ContractChange[] {
  const all = new Map<string, { readonly change: ContractChange; readonly urls: string[] }>();
  for (const [url, differences] of found) {
    for (const change of differences) {
      const { level, kind, id, message } = change;
      const key = JSON.stringify([level, kind, id, message]);
      const same = all.get(key) ?? { change, urls: [] };
      same.urls.push(url);
      all.set(key, same);
    }
  }
  return [...all.values()].map(({ change, urls }) =>
    urls.length === found.length ? change : { ...change, message: `${change.message} (of ${urls.join(", ")})` },
  );
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

/** What one server says, or why it does not. */
interface Answer {
  readonly url: string;
  readonly discovery?: Discovery | undefined;
  readonly error?: unknown;
}

/** @throws {Error} whatever keeps every server from saying it, within the time */
async function askContracts({ client }: TunnelRunner, timeoutMs: number): Promise<readonly Answer[]> {
  if (typeof client?.discover !== "function") {
    throw new Unverified(
      "its client cannot ask the server.",
      'return { client } beside "verify" from the init of the tunnel: every client of this package can ask',
    );
  }
  const late = `the server did not say its contract within ${timeoutMs} ms.`;
  const { expired, stop } = abortAfter(timeoutMs, () => new Unverified(late, "see whether it is up", "TIMEOUT"));
  try {
    const options = { signal: expired };
    const { discoverEach } = client as TunnelClient & { discoverEach?(given: object): Promise<EndpointDiscovery[]> };
    const replies =
      discoverEach === undefined
        ? [{ url: "", discovery: await settleOrAbort(client.discover(options), expired) }]
        : await discoverEach(options);
    if (replies.length === 0) throw new Unverified("no endpoint is known.", "have resolve return at least one address");
    return replies.map(answerOf);
  } catch (error) {
    return [{ url: "", error: isOfGet(error) ? unsaid() : error }];
  } finally {
    stop();
  }
}

function answerOf({ url, discovery, error }: EndpointDiscovery): Answer {
  if (error !== undefined) return { url, error: isOfGet(error) ? unsaid() : error };
  try {
    const read = readDiscovery(discovery);
    return read?.contract === undefined ? { url, error: unsaid() } : { url, discovery: read };
  } catch (broken) {
    return { url, error: broken };
  }
}

/** Published versions 5.x are asked by GET. */
const isOfGet = (error: unknown): boolean => codeOf(error) === "METHOD_NOT_ALLOWED";

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | undefined)?.code;

/** An endpoint that is down is what a pool is there for; what replies is called. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof Unverified ? error.code === "TIMEOUT" : deliveryOf(error) !== "answered";

const unsaid = (): Unverified =>
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
