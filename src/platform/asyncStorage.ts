/** The part of Node's `AsyncLocalStorage` the framework uses. */
export interface IAsyncLocalStorage<T> {
  /** The store of the current async chain. */
  getStore(): T | undefined;
  /** Calls `callback` with `store` in force for it and for everything asynchronous it starts. */
  run<R>(store: T, callback: () => R): R;
  /** Stops tracking until the next `run`; optional, because only the cost of idle tracking depends on it. */
  disable?(): void;
}

type Hooks = { readonly AsyncLocalStorage?: StorageClass };
type StorageClass = new <T>() => IAsyncLocalStorage<T>;

/**
 * Looks up the runtime's `AsyncLocalStorage`; Node, Deno, Bun and Cloudflare with `nodejs_compat` have it, and Vercel's
 * edge functions as a global.
 *
 * Goes through `process.getBuiltinModule`, which is synchronous and invisible to bundlers: an import of
 * `node:async_hooks` would break browser bundles of the entry `.`.
 */
export function findStorageClass(): StorageClass | undefined {
  const hooks = (): Hooks | undefined => globalThis.process?.getBuiltinModule?.("node:async_hooks");
  return (globalThis as Hooks).AsyncLocalStorage ?? hooks()?.AsyncLocalStorage;
}

/** A storage that never holds anything; what `RUNNER_FORCE_NOOP_ALS` asks for. */
export const createNoopStorage = <T>(): IAsyncLocalStorage<T> => ({
  getStore: () => undefined,
  run: (_store, callback) => callback(),
});
