import { platformUnsupportedFunctionError } from "../errors/runErrors";
import { detectEnvironment, type PlatformId } from "../lib/detectEnvironment";
import type { IAsyncLocalStorage } from "./asyncStorage";
import { chooseStorages, createStorage, hasStorage, readEnv, runsOnServer, type StorageMaker } from "./storages";

export type { IAsyncLocalStorage } from "./asyncStorage";
export type { PlatformId } from "../lib/detectEnvironment";

/** How an adapter starts a timer. */
export type PlatformSetTimeout = typeof globalThis.setTimeout;
/** How an adapter stops a timer. */
export type PlatformClearTimeout = typeof globalThis.clearTimeout;

/** What differs between runtimes. Give your own to `setPlatform` for tests and exotic hosts. */
export interface IPlatformAdapter extends StorageMaker {
  /** What kind of runtime it is for. */
  readonly id: PlatformId;
  /** Awaited by `run` before anything else, when present. */
  init?(): Promise<void>;
  /** @returns a function that removes the listener; so do the next two */
  onUncaughtException(handler: (error: Error) => void): () => void;
  /** As `onUncaughtException`, of promises. */
  onUnhandledRejection(handler: (reason: unknown) => void): () => void;
  /** Calls `handler` with what asked for the shutdown: a signal name, or the name of a browser event. */
  onShutdownSignal(handler: (signal?: string) => void): () => void;
  /** @throws {platformUnsupportedFunctionError} there is no process to end */
  exit(code: number): void;
  /** Has the process end with this code once it ends by itself, unless it has been given another; optional. */
  setExitCode?(code: number): void;
  /** Reads an environment variable; `undefined` where there is none. */
  getEnv(key: string): string | undefined;
  setTimeout: PlatformSetTimeout;
  clearTimeout: PlatformClearTimeout;
}

/** What a browser, worker or edge global may offer; everything is looked up when it is needed. */
interface WebScope {
  window?: WebScope;
  document?: { visibilityState?: string };
  process?: HostProcess;
  addEventListener?(type: string, listener: (event: WebEvent) => void): void;
  removeEventListener?(type: string, listener: (event: WebEvent) => void): void;
}

/** The part of a process that Node, Deno and Bun have in common. */
interface HostProcess {
  on?(type: string, listener: (...args: never[]) => void): unknown;
  off?(type: string, listener: (...args: never[]) => void): unknown;
  exit?(code: number): void;
  exitCode?: number | string | undefined;
}

interface WebEvent {
  readonly error?: unknown;
  readonly reason?: unknown;
}

/**
 * The adapter of one kind of runtime.
 *
 * Node, and `"universal"` on Deno and Bun, have process events, signals, `exit` and AsyncLocalStorage. The others listen
 * to `error`, `unhandledrejection`, `beforeunload` and `visibilitychange` where these exist, and cannot exit; of them
 * `"edge"` has AsyncLocalStorage where the host offers it.
 */
export class PlatformAdapter implements IPlatformAdapter {
  readonly id: PlatformId;
  readonly env: PlatformId;

  /** @param env default: detected from the globals of the runtime */
  constructor(env: PlatformId = detectEnvironment()) {
    this.id = env;
    this.env = env;
  }

  async init(): Promise<void> {}

  onUncaughtException(handler: (error: Error) => void): () => void {
    const host = this.#process();
    if (host) return listenToProcess(host, "uncaughtException", handler);
    return listen(this.#target(), "error", (event) => handler((event.error ?? event) as Error));
  }

  onUnhandledRejection(handler: (reason: unknown) => void): () => void {
    const host = this.#process();
    if (host) return listenToProcess(host, "unhandledRejection", handler);
    return listen(this.#target(), "unhandledrejection", (event) => handler(event.reason ?? event));
  }

  /** With a process: SIGINT and SIGTERM. Browsers: `beforeunload`, and `visibilitychange` once hidden. Edge: never. */
  onShutdownSignal(handler: (signal?: string) => void): () => void {
    if (this.id === "edge") return doNothing;
    const host = this.#process();
    if (host) {
      const removers = shutdownSignals.map((signal) => listenToProcess(host, signal, () => handler(signal)));
      return () => removers.forEach((remove) => remove());
    }
    // `visibilitychange` is fired at the document and bubbles to the window.
    const stopUnload = listen(this.#target(), "beforeunload", () => handler("beforeunload"));
    const stopVisibility = listen(this.#target(), "visibilitychange", () => {
      if (scope().document?.visibilityState === "hidden") handler("visibilitychange");
    });
    return () => {
      stopUnload();
      stopVisibility();
    };
  }

  exit(code: number): void {
    const host = this.#process();
    if (typeof host?.exit !== "function") unsupported("exit");
    host.exit(code);
  }

  setExitCode(code: number): void {
    const host = this.#process();
    if (host) host.exitCode ??= code;
  }

  /**
   * Node: `process.env`. Elsewhere the first that exists of `globalThis.__ENV__`, `process.env` and `globalThis.env`.
   * What may not be read is not there: on Deno it takes a permission, which is not asked for.
   */
  getEnv(key: string): string | undefined {
    return readEnv(this.id, key);
  }

  hasAsyncLocalStorage(): boolean {
    return hasStorage(this.id);
  }

  /**
   * Makes a storage. Where there is none, using it throws `platformUnsupportedFunctionError`; with the environment
   * variable `RUNNER_FORCE_NOOP_ALS` set to anything it silently holds nothing.
   */
  createAsyncLocalStorage<T>(): IAsyncLocalStorage<T> {
    return createStorage(this.id, (key) => this.getEnv(key));
  }

  // Browsers refuse these when called on another object; looking them up late lets tests replace the timers.
  readonly setTimeout = ((...args: Parameters<typeof globalThis.setTimeout>) =>
    globalThis.setTimeout(...args)) as typeof globalThis.setTimeout;

  readonly clearTimeout = ((timer: Parameters<typeof globalThis.clearTimeout>[0]) =>
    globalThis.clearTimeout(timer)) as typeof globalThis.clearTimeout;

  #target(): WebScope {
    const global = scope();
    return this.id === "universal" ? global : (global.window ?? global);
  }

  /** Only where it is the runtime's own: bundlers give browsers one that does nothing. */
  #process(): HostProcess | undefined {
    const host = runsOnServer(this.id) ? scope().process : undefined;
    return typeof host?.on === "function" ? host : undefined;
  }
}

// eslint-disable-next-line no-restricted-syntax -- the platform override belongs to the process: ARCHITECTURE.md
let current: IPlatformAdapter | undefined;

/** The process-wide adapter, detected on first use. */
export function getPlatform(): IPlatformAdapter {
  return (current ??= new PlatformAdapter());
}

/** Replaces the process-wide adapter. Runs that already started keep the listeners they installed on the old one. */
export function setPlatform(adapter: IPlatformAdapter): void {
  current = adapter;
  chooseStorages(adapter);
}

/**
 * Keeps one value per adapter, made on first use: state that belongs to a process, such as its listeners.
 *
 * @returns a function giving the value of the adapter in force
 */
export function perPlatform<T>(create: (platform: IPlatformAdapter) => T): () => T {
  const values = new WeakMap<IPlatformAdapter, T>();
  return () => {
    const platform = getPlatform();
    let value = values.get(platform);
    if (value === undefined) values.set(platform, (value = create(platform)));
    return value;
  };
}

function unsupported(functionName: string): never {
  throw platformUnsupportedFunctionError.create({ functionName });
}

const scope = (): WebScope => globalThis as unknown as WebScope;

const shutdownSignals = ["SIGINT", "SIGTERM"] as const;

const doNothing = (): void => {};

function listen(target: WebScope | undefined, type: string, listener: (event: WebEvent) => void): () => void {
  if (typeof target?.addEventListener !== "function") return doNothing;
  target.addEventListener(type, listener);
  return () => target.removeEventListener?.(type, listener);
}

function listenToProcess(host: HostProcess, type: string, listener: (...args: never[]) => void): () => void {
  host.on?.(type, listener);
  return () => void host.off?.(type, listener);
}
