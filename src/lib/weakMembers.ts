/** A set whose members may be collected; some engines have nothing for that, and keep them. */
export interface WeakMembers<T> {
  add(member: T): void;
  list(): T[];
}

export function createWeakMembers<T extends object>(): WeakMembers<T> {
  if (typeof WeakRef !== "function" || typeof FinalizationRegistry !== "function") {
    const members = new Set<T>();
    return { add: (member) => void members.add(member), list: () => [...members] };
  }
  const references = new Set<WeakRef<T>>();
  const collected = new FinalizationRegistry<WeakRef<T>>((reference) => references.delete(reference));
  return {
    add(member) {
      const reference = new WeakRef(member);
      references.add(reference);
      collected.register(member, reference);
    },
    list: () => [...references].flatMap((reference) => reference.deref() ?? []),
  };
}
