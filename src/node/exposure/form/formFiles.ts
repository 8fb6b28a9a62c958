import type { FileSentinel } from "../../../platform/inputFile";
import { mergeFileMeta } from "../../../tunnels/server/openForm";
import { NodeInputFile } from "../../files/nodeInputFile";
import { FilePart, type FilePartOwner } from "./filePart";
import type { FileInfo } from "./formParsers";

/** The files of one form, by id: those that its manifest names, and those that it carries. */
export class FormFiles {
  readonly #owner: FilePartOwner;
  readonly #byId = new Map<string, FormFile>();
  #missingCount = 0;

  constructor(owner: FilePartOwner) {
    this.#owner = owner;
  }

  /** How many are named whose part has not begun. */
  get missingCount(): number {
    return this.#missingCount;
  }

  /** The manifest names a file. @returns its handle, whether it has arrived or not */
  expect({ id, meta }: FileSentinel): NodeInputFile {
    const file = this.#fileOf(id);
    file.stated = meta;
    file.handle = new NodeInputFile(mergeFileMeta(meta, file.carried), () => file.part.open());
    if (file.carried === undefined) this.#missingCount += 1;
    return file.handle;
  }

  /**
   * The form carries a file.
   *
   * @param isNamedOnly the manifest is there, so that what it does not name is not needed
   * @returns `undefined` for what is not needed, and for a second part of one file
   */
  begin(id: string, { filename, mimeType }: FileInfo, isNamedOnly: boolean): FilePart | undefined {
    const file = isNamedOnly ? this.#byId.get(id) : this.#fileOf(id);
    if (file === undefined || file.carried !== undefined) return undefined;
    file.carried = { name: filename, type: mimeType };
    if (file.handle !== undefined) {
      this.#missingCount -= 1;
      // What came with the bytes fills in what the manifest leaves out.
      const { name, type } = mergeFileMeta(file.stated, file.carried);
      file.handle.name = name;
      file.handle.type = type;
    }
    return file.part;
  }

  dropUnnamed(): void {
    for (const { part, handle } of this.#byId.values()) if (handle === undefined) part.destroy();
  }

  /** Drops those that nothing has begun to read. */
  dropUnattended(): void {
    for (const { part } of this.#byId.values()) if (!part.isAttended) part.destroy();
  }

  fail(error: Error): void {
    for (const { part } of this.#byId.values()) part.destroy(error);
  }

  #fileOf(id: string): FormFile {
    let file = this.#byId.get(id);
    if (file === undefined) this.#byId.set(id, (file = new FormFile(this.#owner)));
    return file;
  }
}

/** What is known of a file: from the manifest, from its part of the form, or from both. */
class FormFile {
  readonly part: FilePart;
  /** Once the manifest has named it. */
  handle: NodeInputFile | undefined = undefined;
  stated: FileSentinel["meta"] | undefined = undefined;
  /** Once its part has begun. */
  carried: { readonly name: string; readonly type: string } | undefined = undefined;

  constructor(owner: FilePartOwner) {
    this.part = new FilePart(owner);
  }
}
