/** What is held against values that cross between processes, unless their serializer states limits of its own. */
export interface WireLimits {
  readonly maxChars: number;
  readonly omitErrorStacks?: boolean;
}
