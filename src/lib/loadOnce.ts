/**
 * Loads something for the first that asks, and has it for all who ask later. A load that fails is not remembered, since a page may
 * have been offline.
 */
export function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}
