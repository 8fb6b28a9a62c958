import type { FormBody, WireFile } from "../protocol/wire";

/** Name of the form field that holds the input, files left as sentinels. */
export const manifestField = "__manifest";
/** Name of the part with a file's bytes. */
export const filePart = (id: string): string => `file:${id}`;
/** File name of a part whose file has none. */
export const defaultFileName = "upload";

/** The form that a client sends. It brings what writes it for fetch, so that clients begin without that. */
export class SentForm implements FormBody {
  readonly kind = "form";

  constructor(
    readonly manifest: string,
    readonly files: readonly WireFile[],
  ) {}

  /** Files are blobs here, and their parts get the type of the blob. */
  toWeb(): FormData {
    const form = new FormData();
    form.append(manifestField, this.manifest);
    for (const { id, meta, source } of this.files) {
      if (!("blob" in source)) throw new TypeError(`fetch cannot send the file "${id}": it is no blob.`);
      form.append(filePart(id), source.blob, safeFileName(meta.name || defaultFileName));
    }
    return form;
  }
}

/** The manifest has the name; that of the part must not end, or escape from, the header line it stands in. */
// eslint-disable-next-line no-control-regex -- exactly these are meant
const safeFileName = (name: string): string => String(name).replace(/["\\\x00-\x1f\x7f]|[\ud800-\udfff]/gu, "_");
