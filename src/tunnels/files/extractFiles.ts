import { isPlainObject } from "../../lib/guards";
import { isFileSentinel, type FileSentinel } from "../../platform/inputFile";
import type { ByteStream, WireFile } from "../protocol/wire";

/** An input whose files were taken out. */
export interface ExtractedFiles {
  /** A copy with bare sentinels; what is no array or plain object is the original. */
  readonly input: unknown;
  /** In the order they were met, each source once. */
  readonly files: readonly WireFile[];
}

/**
 * Takes the files out of an input that holds some, see `findFiles`. Loops stay loops.
 *
 * @throws {Error} two files share one id, or one stream is two files
 */
export function extractFiles(input: unknown): ExtractedFiles {
  const files = new Map<string, WireFile>();
  const wireIds = new Map<string, string>();
  const copies = new Map<object, unknown>();

  function copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    if (isFileSentinel(value)) return remember(value, extract(value));
    if (Array.isArray(value)) {
      const items = remember(value, [] as unknown[]);
      for (const item of value) items.push(copy(item));
      return items;
    }
    if (!isPlainObject(value)) return value;
    const fields: Record<string, unknown> = remember(value, {});
    for (const [key, field] of Object.entries(value)) {
      // No serializer sends it, and assigning it would replace the prototype.
      if (key !== "__proto__") fields[key] = copy(field);
    }
    return fields;
  }

  function remember<T>(original: object, made: T): T {
    copies.set(original, made);
    return made;
  }

  function extract(sentinel: FileSentinel): object {
    const { id, meta = { name: "upload" } } = sentinel;
    const source = sourceOf(sentinel);
    if (source !== undefined) {
      const known = files.get(id);
      if (known !== undefined && contentOf(known.source) !== contentOf(source)) {
        throw new Error(`Two files of one call share the id "${id}". Give each file its own id.`);
      }
      if (known === undefined && "stream" in source && isSourceOf(source.stream, files)) {
        throw new Error(`The file "${id}" has the stream of another one. A stream can be read once.`);
      }
      files.set(id, known ?? { id: wireIdOf(id), meta, source });
    }
    return { $runnerFile: "File", id: wireIdOf(id), meta: sentinel.meta };
  }

  /** Ids name parts of a form, and only the wire sees them: one that peers read differently is replaced. */
  function wireIdOf(id: string): string {
    if (safeId.test(id)) return id;
    const wireId = wireIds.get(id) ?? `~${wireIds.size + 1}`;
    wireIds.set(id, wireId);
    return wireId;
  }

  return { input: copy(input), files: [...files.values()] };
}

/** Nothing that is escaped, and no longer than servers let the name of a part be. */
const safeId = /^[\w.:-]{1,64}$/;

const isSourceOf = (stream: ByteStream, files: ReadonlyMap<string, WireFile>): boolean =>
  [...files.values()].some(({ source }) => contentOf(source) === stream);

/** Where the bytes are; `undefined` for a sentinel that only describes a file. */
function sourceOf({ _node: node, _web: web }: FileSentinel): WireFile["source"] | undefined {
  if (node?.buffer !== undefined) return { bytes: node.buffer };
  if (node?.stream !== undefined) return { stream: node.stream as ByteStream };
  return web?.blob === undefined ? undefined : { blob: web.blob };
}

const contentOf = (source: WireFile["source"]): unknown => Object.values(source)[0];
