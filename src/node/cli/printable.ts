/** Texts of others, as ids, messages and addresses: control characters do not reach the terminal. */
export const printable = (line: string): string => line.replace(/\p{Cc}/gu, " ");
