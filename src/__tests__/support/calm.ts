/** Collects what would bring the process down. */
export function watchUncaught(): Disposable & { readonly seen: readonly unknown[] } {
  const seen: unknown[] = [];
  const note = (error: unknown): number => seen.push(error);
  process.on("uncaughtException", note).on("unhandledRejection", note);
  return {
    seen,
    [Symbol.dispose]() {
      process.off("uncaughtException", note).off("unhandledRejection", note);
    },
  };
}
