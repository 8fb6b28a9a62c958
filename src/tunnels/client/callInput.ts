import { streamKindOf } from "../../lib/streamKind";
import type { FileSentinel } from "../../platform/inputFile";
import { findFiles } from "../files/findFiles";

/** What a call is to send. */
export interface CallInput {
  readonly value: unknown;
  /** Whether the value is bytes that are the whole input. */
  readonly isStream: boolean;
  /** Sentinels among the value that bring something along. */
  readonly files: readonly FileSentinel[];
}

/** @throws {TypeError} as `findFiles` */
export function readCallInput(value: unknown): CallInput {
  if (streamKindOf(value) !== undefined) return { value, isStream: true, files: [] };
  return { value, isStream: false, files: findFiles(value) };
}
