/** What a part of a form says of itself. */
export interface PartHead {
  readonly name: string | undefined;
  readonly filename: string | undefined;
  /** Type and subtype, in lower case. */
  readonly mimeType: string;
}

/**
 * Reads the head of a part as busboy does, so that both edges take a form for the same. `multipasta` reads it too, but knows
 * no names beyond Latin-1.
 *
 * @returns `undefined` for what is no part of a form (RFC 7578 §4.2), and is passed over
 */
export function readPartHead(headers: Readonly<Record<string, string | string[] | undefined>>): PartHead | undefined {
  const disposition = parseParameters(firstOf(headers["content-disposition"]));
  if (disposition?.value !== "form-data") return undefined;
  const { name, filename, "filename*": encoded } = disposition.parameters;
  const stated = decodeExtended(encoded) || filename;
  const type = parseParameters(firstOf(headers["content-type"]));
  return {
    name: name === "" ? undefined : name,
    filename: stated ? baseName(stated) : undefined,
    mimeType: type !== undefined && /^[^/]+\/[^/]+$/.test(type.value) ? type.value : "text/plain",
  };
}

/** A part with a filename is a file, and so are bytes. */
export const isFilePart = ({ filename, mimeType }: PartHead): boolean =>
  filename !== undefined || mimeType === "application/octet-stream";

const firstOf = (value: string | string[] | undefined): string =>
  (typeof value === "object" ? value[0] : value)?.trim() ?? "";

interface Parameters {
  /** In lower case. */
  readonly value: string;
  readonly parameters: Readonly<Partial<Record<string, string>>>;
}

/** @returns `undefined` for what is malformed */
function parseParameters(text: string): Parameters | undefined {
  const [value] = /^[\w!#$%&'*+.^`|~/-]+/.exec(text) ?? [];
  if (value === undefined) return undefined;
  const parameters = Object.create(null) as Record<string, string>;
  const parameter = /[ \t]*;[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~-]+))/y;
  let end = (parameter.lastIndex = value.length);
  for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
    const [, name = "", quoted, token = ""] = match;
    parameters[name.toLowerCase()] ??= quoted?.replace(/\\(["\\])/g, "$1") ?? token;
    end = parameter.lastIndex;
  }
  return text.slice(end).trim() === "" ? { value: value.toLowerCase(), parameters } : undefined;
}

/** RFC 8187 §3.2. */
function decodeExtended(value: string | undefined): string | undefined {
  const [, charset = "", encoded] = /^([^']*)'[^']*'(.*)$/.exec(value ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const bytes = encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return new TextDecoder(charset).decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** Old browsers sent whole paths. */
function baseName(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return name === "." || name === ".." ? "" : name;
}
