import type { FileSentinel } from "../../platform/inputFile";
import { findFiles } from "../files/findFiles";
import type { ByteStream } from "../protocol/wire";

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
  if (isStream(value)) return { value, isStream: true, files: [] };
  return { value, isStream: false, files: findFiles(value) };
}

/** A Node stream or a web stream. */
function isStream(input: unknown): input is ByteStream {
  if (typeof input !== "object" || input === null) return false;
  const { pipe, getReader } = input as { pipe?: unknown; getReader?: unknown };
  return typeof pipe === "function" || typeof getReader === "function";
}
