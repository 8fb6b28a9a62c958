/** Media types of bodies that are bytes, which pages load what writes them for. */
export const octetContentType = "application/octet-stream";
export const formContentType = "multipart/form-data";
