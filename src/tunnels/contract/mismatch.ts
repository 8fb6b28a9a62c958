/** Why not every value of one schema is one of another. */
export interface Mismatch {
  /** Where in the value, as `/lines/[]/price`; `/` is the whole. */
  readonly path: string;
  readonly message: string;
  /** It may fit: something changed that the rules do not compare, as a pattern. */
  readonly isUnknown: boolean;
}

export const mismatch = (path: string, message: string): Mismatch => ({ path: path || "/", message, isUnknown: false });
export const unknown = (path: string, message: string): Mismatch => ({ path: path || "/", message, isUnknown: true });
/** The place of a part. */
export const at = (path: string, name: string): string => `${path}/${name}`;

/** Says what became of what: the narrow side is the older one of what callers give, and the newer one of what they get. */
export type Changed = (narrow: string, wide: string) => string;
