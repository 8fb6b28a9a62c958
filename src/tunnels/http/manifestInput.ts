import { invalidManifest, payloadTooLarge, WireFailure } from "../../errors/wireErrors";
import type { FileSentinel } from "../../platform/inputFile";
import { hydrateFiles } from "../server/hydrateFiles";

export interface ManifestReading {
  readonly decode: (manifest: string) => unknown;
  /** Gives what stands in the place of a file. */
  readonly expect: (sentinel: FileSentinel) => unknown;
  readonly maxFiles: number;
}

/** The input of a form, with its files in their places. @throws {WireFailure} */
export function readManifestInput(text: string, { decode, expect, maxFiles }: ManifestReading): unknown {
  let namedCount = 0;
  let input: unknown;
  try {
    input = hydrateFiles(decode(text), (sentinel) => {
      namedCount += 1;
      return expect(sentinel);
    });
  } catch (error) {
    throw error instanceof WireFailure ? error : invalidManifest();
  }
  if (namedCount > maxFiles) throw filesExceeded();
  return input;
}

/** A form has more files than it may, or its manifest names more. */
export const filesExceeded = (): WireFailure => payloadTooLarge("Files limit exceeded");
