import type { PartInfo } from "multipasta";
import { readPartHead, type PartHead } from "./disposition";

/** Receives the bytes of one part, and `null` at its end. */
export type PartSink = (piece: Uint8Array | null) => void;

/** What is told of a form while it is parsed. */
export interface FormListener {
  /** @param head `undefined` for what is no part of a form */
  onPart(head: PartHead | undefined): PartSink;
  /** It is no form. Nothing more is told. */
  onMalformed(): void;
  /** The closing boundary was read. What comes after it is no part of the form. */
  onComplete(): void;
}

/** Parses a form that arrives in pieces. */
export interface FormParser {
  write(piece: Uint8Array): void;
  /** Nothing more comes. A form that has not ended by its closing boundary has been cut. */
  end(): void;
}

export type CreateFormParser = (contentType: string, listener: FormListener) => FormParser;

/** The library is loaded for the first form, not before. */
export async function loadFormParser(): Promise<CreateFormParser> {
  const { make } = await import("multipasta");
  return (contentType, listener) => {
    const boundary = boundaryOf(contentType);
    let isOver = boundary === undefined;
    if (isOver) listener.onMalformed();
    const conclude = (how: () => void): void => {
      if (isOver) return;
      isOver = true;
      how();
    };
    const parser = make({
      headers: { "content-type": `multipart/form-data; boundary="${boundary ?? ""}"` },
      // Fields as well: how large they may be is counted with what holds them.
      isFile: () => true,
      onFile: ({ headers }: PartInfo) => (isOver ? () => {} : listener.onPart(readPartHead(headers))),
      onField: () => {},
      onError: ({ _tag }) => {
        // A part without a name, which is passed over.
        if (_tag === "InvalidDisposition") listener.onPart(undefined);
        else conclude(() => listener.onMalformed());
      },
      onDone: () => conclude(() => listener.onComplete()),
    });
    const joined = new WholeBoundaries(boundary ?? "");
    return {
      write(piece) {
        const whole = isOver ? undefined : joined.take(piece);
        if (whole === undefined) return;
        try {
          parser.write(whole);
        } catch {
          // It throws where a name is encoded in a way that cannot be decoded.
          conclude(() => listener.onMalformed());
        }
      },
      end: () => conclude(() => listener.onMalformed()),
    };
  };
}

/** As busboy reads it. */
function boundaryOf(contentType: string): string | undefined {
  const [, quoted, token] = /;[ \t]*boundary=(?:"((?:[^"\\]|\\.)+)"|([\w!#$%&'*+.^`|~-]+))/i.exec(contentType) ?? [];
  return quoted?.replace(/\\(["\\])/g, "$1") ?? token;
}

const carriageReturn = 13;

/**
 * Keeps back the end of a piece that may be a boundary, or a boundary of which the two characters behind it have not come:
 * the library takes them from one piece.
 */
class WholeBoundaries {
  readonly #start: Uint8Array;
  /** The first boundary may stand at the very beginning, without the line break of all others. */
  #kept: Uint8Array | undefined = new Uint8Array([carriageReturn, 10]);

  constructor(boundary: string) {
    this.#start = new TextEncoder().encode(`\r\n--${boundary}`);
  }

  /** @returns what can be parsed; `undefined` while that is nothing */
  take(piece: Uint8Array): Uint8Array | undefined {
    const bytes = this.#kept === undefined ? piece : join(this.#kept, piece);
    const at = this.#keptFrom(bytes);
    this.#kept = at === bytes.byteLength ? undefined : bytes.slice(at);
    return at === 0 ? undefined : bytes.subarray(0, at);
  }

  /** Where what is kept back begins; the length for nothing. */
  #keptFrom(bytes: Uint8Array): number {
    const longest = this.#start.byteLength + 1;
    const first = Math.max(0, bytes.byteLength - longest);
    for (let at = bytes.indexOf(carriageReturn, first); at !== -1; at = bytes.indexOf(carriageReturn, at + 1)) {
      if (this.#mayBegin(bytes, at)) return at;
    }
    return bytes.byteLength;
  }

  #mayBegin(bytes: Uint8Array, at: number): boolean {
    const length = Math.min(bytes.byteLength - at, this.#start.byteLength);
    for (let index = 1; index < length; index++) if (bytes[at + index] !== this.#start[index]) return false;
    return true;
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.byteLength + second.byteLength);
  joined.set(first);
  joined.set(second, first.byteLength);
  return joined;
}
