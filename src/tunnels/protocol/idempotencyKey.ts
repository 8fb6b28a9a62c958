/** Whether it is one, for callers and for servers: 1 to 200 visible ASCII characters. */
export const isKey = (key: unknown): key is string => typeof key === "string" && /^[\x21-\x7e]{1,200}$/.test(key);

/** Why a call cannot have its key, as errors tell. */
export const keyProblems = {
  notAKey: "its key is not 1 to 200 visible ASCII characters",
  streams: "it streams its items",
  body: "it sends files, items or a stream",
} as const;
