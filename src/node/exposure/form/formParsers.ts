import type { Busboy, BusboyConfig } from "busboy";
import { importCommonJs } from "../../commonJs";
import type { ResolvedLimits } from "../config/limits";

export type { Busboy, FileInfo } from "busboy";

export type FormLimits = ResolvedLimits["multipart"];
export type FormHeaders = BusboyConfig["headers"];

/** Makes the parsers of one exposure's forms. */
export interface FormParsers {
  readonly limits: FormLimits;
  /** The library is loaded for the first form, not before. */
  load(): Promise<(headers: FormHeaders) => Busboy>;
}

export function createFormParsers(limits: FormLimits): FormParsers {
  const { fields, fieldSize, fileSize, files, parts } = limits;
  const allLimits = {
    fields,
    parts,
    // It reports what has reached a size, not what has passed it; and a manifest may come as one of its files.
    fieldSize: fieldSize + 1,
    fileSize: Math.max(fileSize, fieldSize) + 1,
    files: files + 1,
  };
  // Part names are UTF-8; its default is latin1.
  const defParamCharset = "utf8";
  let loading: ReturnType<FormParsers["load"]> | undefined;
  return {
    limits,
    load: () =>
      (loading ??= importCommonJs(() => import("busboy")).then(
        (busboy) => (headers) => busboy({ defParamCharset, limits: allLimits, headers }),
      )),
  };
}
