/**
 * Carries an id at type level. Definitions of different ids stay assignable to each other, as lists and variables of
 * existing code need: every slot has the key "~", and the id is a key that may be missing.
 */
export type IdSlot<Id extends string> = { readonly "~"?: true } & { readonly [K in Id]?: true };

/** The id that a slot carries; `never` where it is just a string. */
export type IdIn<Slot> =
  Exclude<keyof NonNullable<Slot>, "~"> extends infer Id extends string ? (string extends Id ? never : Id) : never;

/**
 * The id of a task, event or error as a literal; `never` where the type says no more than `string`, since every string
 * would then pass for it.
 */
export type IdOf<T> = T extends { readonly $id?: infer Slot } ? IdIn<Slot> : never;
