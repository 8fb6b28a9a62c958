/**
 * The empty list that all share: an application has thousands of definitions, and of those that say nothing the lists of
 * their own would be a fifth.
 */
export const noItems: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** The same of records. */
export const noEntries: Readonly<Record<string, never>> = /* @__PURE__ */ Object.freeze({});
