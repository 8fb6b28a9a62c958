import type { FileSentinel } from "../../../platform/inputFile";
import { mergeFileMeta } from "../../server/openForm";
import type { PartHead } from "./disposition";
import { FetchFile } from "./fetchFile";
import { FetchPart, type FetchPartOwner } from "./fetchPart";

/** The files of one form, by id: those that its manifest names, and those that it carries. */
export class FetchFormFiles {
  readonly #owner: FetchPartOwner;
  readonly #byId = new Map<string, FormFile>();

  constructor(owner: FetchPartOwner) {
    this.#owner = owner;
  }

  /** Whether the part of one that is named has not begun. */
  get isMissingAny(): boolean {
    return this.#all.some(({ handle, carried }) => handle !== undefined && carried === undefined);
  }

  /** Whether something may still read one. */
  get isAnyOpen(): boolean {
    return this.#all.some(({ part }) => part.isOpen);
  }

  /** Whether a reader waits for bytes that have not arrived. */
  get isAnyStarving(): boolean {
    return this.#all.some(({ part }) => part.isStarving);
  }

  /** The manifest names a file. @returns its handle, whether it has arrived or not */
  expect({ id, meta }: FileSentinel): FetchFile {
    const file = this.#fileOf(id);
    file.stated = meta;
    return (file.handle = new FetchFile(mergeFileMeta(meta, file.carried), () => file.part.open()));
  }

  /**
   * The form carries a file.
   *
   * @param isNamedOnly the manifest is there, so that what it does not name is not needed
   * @returns `undefined` for what is not needed, and for a second part of one file
   */
  begin(id: string, { filename, mimeType }: PartHead, isNamedOnly: boolean): FetchPart | undefined {
    const file = isNamedOnly ? this.#byId.get(id) : this.#fileOf(id);
    if (file === undefined || file.carried !== undefined) return undefined;
    file.carried = { ...(filename !== undefined && { name: filename }), type: mimeType };
    if (file.handle !== undefined) {
      // What came with the bytes fills in what the manifest leaves out.
      const { name, type } = mergeFileMeta(file.stated, file.carried);
      file.handle.name = name;
      file.handle.type = type;
    }
    return file.part;
  }

  dropUnnamed(): void {
    for (const { part, handle } of this.#all) if (handle === undefined) part.destroy();
  }

  /** Drops those that nothing has begun to read. */
  dropUnattended(): void {
    for (const { part } of this.#all) if (!part.isAttended) part.destroy();
  }

  fail(error: Error): void {
    for (const { part } of this.#all) part.destroy(error);
  }

  get #all(): FormFile[] {
    return [...this.#byId.values()];
  }

  #fileOf(id: string): FormFile {
    let file = this.#byId.get(id);
    if (file === undefined) {
      file = { part: new FetchPart(this.#owner), handle: undefined, stated: undefined, carried: undefined };
      this.#byId.set(id, file);
    }
    return file;
  }
}

/** What is known of a file: from the manifest, from its part of the form, or from both. */
interface FormFile {
  readonly part: FetchPart;
  /** Once the manifest has named it. */
  handle: FetchFile | undefined;
  stated: FileSentinel["meta"] | undefined;
  /** Once its part has begun. */
  carried: { readonly name?: string; readonly type: string } | undefined;
}
