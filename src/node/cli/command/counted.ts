/** A number with its noun, as "1 stream" and "2 streams". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
