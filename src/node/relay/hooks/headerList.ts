import type { TunnelHeaders } from "./hookContract";

/** What frames a message, and is up to the relay. */
const framing: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** RFC 9110 section 5.6.2. */
const isToken = (text: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/.test(text);
/** RFC 9110 section 5.5: what would end a line, or what no recipient reads alike. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const isValue = (text: string): boolean => !/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(text);

/**
 * Checks a header that an application gives.
 *
 * @throws {TypeError} the name or value cannot be sent, or is up to the relay
 */
export function checkHeader(name: string, value: string): void {
  assertOwn(name);
  if (typeof value !== "string" || !isValue(value)) {
    throw new TypeError(`The value of header "${name}" must be text of one line in ISO 8859-1.`);
  }
}

function assertOwn(name: string): void {
  if (typeof name !== "string" || !isToken(name)) throw new TypeError(`"${String(name)}" is no name of a header.`);
  if (framing.has(name.toLowerCase())) throw new TypeError(`The header "${name}" is set by the relay.`);
}

/** The headers of a message: what is not changed keeps its place, case and repetitions. */
export class HeaderList implements TunnelHeaders {
  readonly #flat: string[];

  /** @param flat names and values in turn */
  constructor(flat: readonly string[]) {
    this.#flat = [...flat];
  }

  get(name: string): string | undefined {
    return this.getAll(name)[0];
  }

  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.#flat.filter((_value, index) => index % 2 === 1 && this.#nameAt(index - 1) === wanted);
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0;
  }

  set(name: string, value: string): void {
    checkHeader(name, value);
    this.#remove(name);
    this.#flat.push(name, value);
  }

  append(name: string, value: string): void {
    checkHeader(name, value);
    this.#flat.push(name, value);
  }

  delete(name: string): void {
    assertOwn(name);
    this.#remove(name);
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let index = 0; index < this.#flat.length; index += 2) {
      yield [this.#nameAt(index), this.#flat[index + 1] as string];
    }
  }

  /** Names and values in turn. */
  toFlat(): readonly string[] {
    return this.#flat;
  }

  /** Drops what no longer holds for a body that was changed. */
  dropBodyFacts(): void {
    for (const name of ["content-length", "etag", "content-md5", "digest", "content-digest", "repr-digest"]) {
      this.#remove(name);
    }
  }

  #nameAt(index: number): string {
    return (this.#flat[index] as string).toLowerCase();
  }

  #remove(name: string): void {
    const wanted = name.toLowerCase();
    for (let index = this.#flat.length - 2; index >= 0; index -= 2) {
      if (this.#nameAt(index) === wanted) this.#flat.splice(index, 2);
    }
  }
}
