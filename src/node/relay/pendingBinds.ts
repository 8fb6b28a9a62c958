/** What is being bound: listening takes time, in which others may ask for the same, and a driver for more. */
export class PendingBinds<Session extends object> {
  /** Ports and names. */
  readonly #keys = new Set<string>();
  readonly #bySession = new Map<Session, number>();

  countOf(session: Session): number {
    return this.#bySession.get(session) ?? 0;
  }

  /** @returns what ends it; `undefined` where one of the keys is being bound already */
  begin(keys: readonly string[], session: Session): (() => void) | undefined {
    if (keys.some((key) => this.#keys.has(key))) return undefined;
    for (const key of keys) this.#keys.add(key);
    this.#bySession.set(session, this.countOf(session) + 1);
    return () => {
      for (const key of keys) this.#keys.delete(key);
      const left = this.countOf(session) - 1;
      if (left === 0) this.#bySession.delete(session);
      else this.#bySession.set(session, left);
    };
  }
}
