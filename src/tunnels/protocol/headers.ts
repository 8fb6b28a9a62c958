/** Header names of the protocol. @see readmes/TUNNEL_HTTP_POLICY.md */
export const defaultTokenHeader = "x-runner-token";
export const contextHeader = "x-runner-context";
export const requestIdHeader = "x-runner-request-id";

export const jsonContentType = "application/json; charset=utf-8";
export const octetContentType = "application/octet-stream";
export const formContentType = "multipart/form-data";

/** Largest context header a client sends, in bytes: servers refuse a header section of more than 16 KiB. */
export const contextHeaderBytes = 8192;
