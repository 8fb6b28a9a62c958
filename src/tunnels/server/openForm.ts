import { missingFilePart } from "../../errors/wireErrors";
import { isPlainObject } from "../../lib/guards";
import type { InputFileMeta } from "../../platform/inputFile";
import type { FormBody, OpenedForm, IncomingFormBody, WireFile } from "../protocol/wire";
import { hydrateFiles } from "./hydrateFiles";

/** Makes the handle that a task receives for a file. */
export type OpenFile = (meta: InputFileMeta, source: WireFile["source"]) => unknown;

/**
 * A form that is still arriving, or one that is all there.
 *
 * @throws {WireFailure} (as a rejection) the manifest is missing or malformed, or names a file that is not there
 */
export function openForm(
  body: FormBody | IncomingFormBody,
  readInput: (manifest: string) => unknown,
  openFile: OpenFile,
): Promise<OpenedForm> {
  return body.kind === "incomingForm" ? body.open(readInput) : openWhole(body, readInput, openFile);
}

async function openWhole(
  body: FormBody,
  readInput: (manifest: string) => unknown,
  openFile: OpenFile,
): Promise<OpenedForm> {
  const files = new Map(body.files.map((file) => [file.id, file]));
  const input = hydrateFiles(readInput(body.manifest), ({ id, meta }) => {
    const file = files.get(id);
    if (file === undefined) throw missingFilePart();
    return openFile(mergeFileMeta(meta, file.meta), file.source);
  });
  return { input, finished: Promise.resolve(), failure: undefined, discard() {} };
}

/** What the manifest says about a file comes before what came with its bytes. Facts of a wrong type are ignored. */
export function mergeFileMeta(stated: unknown, carried: Partial<InputFileMeta> = {}): InputFileMeta {
  const { name, type, size, lastModified, extra } = isPlainObject(stated) ? stated : {};
  return {
    name: textOf(name) ?? textOf(carried.name) ?? "upload",
    type: textOf(type) ?? carried.type,
    size: sizeOf(size) ?? carried.size,
    lastModified: timeOf(lastModified) ?? carried.lastModified,
    extra: isPlainObject(extra) ? extra : carried.extra,
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const sizeOf = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
const timeOf = (value: unknown): number | undefined => (Number.isFinite(value) ? (value as number) : undefined);
