import { platformUnsupportedFunctionError } from "../errors/runErrors";
import { detectEnvironment, type PlatformId } from "../lib/detectEnvironment";
import { createNoopStorage, findStorageClass, type IAsyncLocalStorage } from "./asyncStorage";

/** What makes storages: an adapter does. */
export interface StorageMaker {
  /** Whether values can follow asynchronous calls, as async contexts need. */
  hasAsyncLocalStorage(): boolean;
  /** Makes a storage whose values follow asynchronous calls. */
  createAsyncLocalStorage<T>(): IAsyncLocalStorage<T>;
}

/** What a global may offer; everything is looked up when it is needed. */
interface Scope {
  Deno?: { permissions?: { querySync?(permission: { name: "env"; variable: string }): { state: string } } };
  Bun?: unknown;
  process?: { env?: Record<string, string | undefined> };
  __ENV__?: Record<string, unknown>;
  env?: Record<string, unknown>;
}

const scope = (): Scope => globalThis;

/** Whether a kind of runtime has a process of its own. */
export function runsOnServer(id: PlatformId): boolean {
  if (id === "node") return true;
  const { Deno, Bun } = scope();
  return id === "universal" && (Deno !== undefined || Bun !== undefined);
}

/** An environment variable, as an adapter of this kind reads it. Where Deno would have to ask for a permission, there is none. */
export function readEnv(id: PlatformId, key: string): string | undefined {
  try {
    const { __ENV__, process: host, env, Deno } = scope();
    if (__ENV__ === undefined && Deno?.permissions?.querySync?.({ name: "env", variable: key }).state === "prompt")
      return undefined;
    const variables = id === "node" ? host?.env : (__ENV__ ?? host?.env ?? env);
    const value = variables?.[key];
    return value === undefined || value === null ? undefined : String(value);
  } catch {
    return undefined;
  }
}

/** The storage class of a kind of runtime. One that was chosen for another runtime behaves as edge hosts without a storage do. */
function storageClassOf(id: PlatformId) {
  const mayHaveOne = id === "edge" ? detectEnvironment() === "edge" : runsOnServer(id);
  return mayHaveOne ? findStorageClass() : undefined;
}

/** Whether a kind of runtime has storages. */
export const hasStorage = (id: PlatformId): boolean => storageClassOf(id) !== undefined;

/** Makes a storage; where there is none, it can be made, so that definitions load everywhere, but not used. */
export function createStorage<T>(
  id: PlatformId,
  getEnv: (key: string) => string | undefined = (key) => readEnv(id, key),
): IAsyncLocalStorage<T> {
  const Storage = storageClassOf(id);
  if (!Storage) return { getStore: unsupportedStorage, run: unsupportedStorage };
  return getEnv("RUNNER_FORCE_NOOP_ALS") ? createNoopStorage() : new Storage<T>();
}

function unsupportedStorage(): never {
  throw platformUnsupportedFunctionError.create({ functionName: "createAsyncLocalStorage" });
}

/** What makes storages as the runtime does. */
const ofRuntime: StorageMaker = {
  hasAsyncLocalStorage: () => hasStorage(detectEnvironment()),
  createAsyncLocalStorage: () => createStorage(detectEnvironment()),
};

// eslint-disable-next-line no-restricted-syntax -- the platform override belongs to the process: ARCHITECTURE.md
let chosen = ofRuntime;

/** Has storages made by another adapter than the runtime's. */
export function chooseStorages(maker: StorageMaker): void {
  chosen = maker;
}

/** What makes storages. Apart from the adapter, so that definitions do not bring all of that into a page. */
export const storages = (): StorageMaker => chosen;
