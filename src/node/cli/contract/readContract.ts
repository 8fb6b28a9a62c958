import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { TunnelError } from "../../../errors/tunnelError";
import { parseContractLock, type ContractLock } from "../../../tunnels/contract/contractLock";
import { discoverServer } from "../server/connectServer";
import { readServer, serverFlags } from "../server/serverAddress";
import { UsageError } from "../usageError";

/** Of commands that read a contract off a server, or off an application that is dry-run. */
export const sourceFlags = {
  ...serverFlags,
  export: { type: "string", value: "<name>", about: "the export that is the root, where an entry has several" },
} as const;

export const sourcePositional = {
  name: "url | entry",
  about: 'a server with http.contract: "schemas", or a file that exports the root of an application',
} as const;

type Given = Parameters<typeof readServer>[1] & { readonly export?: string };

const maxLockBytes = 64 * 1024 * 1024;
const loadTimeoutMs = 60_000;

/** @throws {UsageError} it is neither a URL nor a file @throws {TunnelError} the server refused */
export async function readContract(source: string, given: Given): Promise<ContractLock> {
  if (!/^https?:\/\//.test(source)) return contractOfEntry(source, given.export);
  const { contract } = await discoverServer(readServer(source, given));
  if (contract?.lock !== undefined) return contract.lock;
  const message =
    'The server does not show its schemas. Set nodeExposure.with({ http: { contract: "schemas" } }) there.';
  throw new TunnelError("NO_CONTRACT", message, { statusCode: 200 });
}

async function contractOfEntry(entry: string, exportName: string | undefined): Promise<ContractLock> {
  const path = resolve(entry);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new UsageError(`"${entry}" is no http or https URL and no file.`);
  }
  // Contracts of servers are read without it.
  const { dryRunEntry } = await import("../migrate/dryRunEntry");
  const report = await dryRunEntry({
    entry: path,
    missingNames: [],
    timeoutMs: loadTimeoutMs,
    wantsContract: true,
    ...(exportName !== undefined && { exportName }),
  });
  if (report.refusal !== undefined) throw new UsageError(report.refusal);
  if (report.contract !== undefined) return parseContractLock(report.contract);
  const [first] = report.findings;
  throw new Error(first?.message ?? "The entry has no root.");
}

/** @throws {UsageError} there is no such file, or it is no lock */
export function readLockFile(path: string): ContractLock {
  try {
    if (statSync(path).size > maxLockBytes) throw new Error(`It is larger than ${maxLockBytes} bytes.`);
    return parseContractLock(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new UsageError(`The lock "${path}" cannot be read: ${(error as Error).message}`);
  }
}
