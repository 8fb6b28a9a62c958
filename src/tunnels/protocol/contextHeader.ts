/** The header with the async contexts of a call. Apart from the other headers: pages load what writes it when it is needed. */
export const contextHeader = "x-runner-context";

/** Largest one a client sends, in bytes: servers refuse a header section of more than 16 KiB. */
export const contextHeaderBytes = 8192;
