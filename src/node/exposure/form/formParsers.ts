import type { Busboy, BusboyConfig } from "busboy";
import { importCommonJs } from "../../commonJs";
import type { ResolvedLimits } from "../config/limits";

export type { Busboy, FileInfo } from "busboy";

export type FormLimits = ResolvedLimits["multipart"];
export type CreateParser = (headers: BusboyConfig["headers"]) => Busboy;

/** Makes the parsers of one exposure's forms. */
export interface FormParsers {
  readonly limits: FormLimits;
  /** There once the library is loaded. */
  readonly create: CreateParser | undefined;
  /** The library is loaded for the first form, not before. */
  load(): Promise<CreateParser>;
}

export function createFormParsers(limits: FormLimits): FormParsers {
  const { fields, fieldSize, fileSize, files, parts } = limits;
  const allLimits = {
    fields,
    // It reports what has reached a limit, not what has passed it; and a manifest may come as one of its files.
    parts: parts + 1,
    fieldSize: fieldSize + 1,
    fileSize: Math.max(fileSize, fieldSize) + 1,
    files: files + 1,
  };
  // Part names are UTF-8; its default is latin1.
  const defParamCharset = "utf8";
  let create: CreateParser | undefined;
  let loading: Promise<CreateParser> | undefined;
  return {
    limits,
    get create() {
      return create;
    },
    load: () =>
      (loading ??= importCommonJs(() => import("busboy")).then(
        (busboy) => (create = (headers) => busboy({ defParamCharset, limits: allLimits, headers })),
      )),
  };
}

/** Whether the last boundary was read. What comes after it is no part of the form, and may never end. */
export const isFormComplete = (parser: Busboy): boolean =>
  // It emits nothing then: it waits for the end of what it is given.
  (parser as unknown as { readonly _complete?: boolean })._complete === true;
