import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Busboy, BusboyConfig, FileInfo } from "busboy";
import {
  invalidManifest,
  invalidMultipart,
  missingFilePart,
  missingManifest,
  payloadTooLarge,
  requestAborted,
  requestTimeout,
  streamError,
  WireFailureError,
  type WireFailure,
} from "../../errors/wireErrors";
import type { FileSentinel } from "../../platform/inputFile";
import type { IncomingForm, IncomingFormBody } from "../../tunnels/protocol/wire";
import { hydrateFiles } from "../../tunnels/server/hydrateFiles";
import { mergeFileMeta } from "../../tunnels/server/openForm";
import { NodeInputFile } from "../files/nodeInputFile";
import { FilePart } from "./filePart";
import { assertUnread, type BodySource } from "./jsonBody";
import type { ResolvedLimits } from "./limits";
import { Spool } from "./spool";

export type FormLimits = ResolvedLimits["multipart"];

/** Makes parsers of forms. The library is loaded for the first form, not before. */
export interface FormParsers {
  load(): Promise<(config: BusboyConfig) => Busboy>;
}

export function createFormParsers(): FormParsers {
  let loading: ReturnType<FormParsers["load"]> | undefined;
  return { load: () => (loading ??= import("busboy").then(({ default: busboy }) => busboy)) };
}

export interface RequestFormParts {
  readonly req: IncomingMessage;
  readonly source: BodySource;
  readonly parsers: FormParsers;
  readonly limits: FormLimits;
  /** The form broke after it was opened. */
  readonly onBroken: () => void;
}

/** A multipart request. */
export class RequestForm implements IncomingFormBody {
  readonly kind = "incomingForm";
  readonly #parts: RequestFormParts;
  #arriving: ArrivingForm | undefined;

  constructor(parts: RequestFormParts) {
    this.#parts = parts;
  }

  async open(decode: (manifest: string) => unknown): Promise<IncomingForm> {
    const { req, source, parsers, limits } = this.#parts;
    assertUnread(req);
    const createParser = await parsers.load();
    const stream = source.open(req, largestForm(limits));
    const parser = parserFor(createParser, req, limits);
    this.#arriving = new ArrivingForm(stream, parser, { ...this.#parts, decode });
    return this.#arriving.opened;
  }

  /** The request is answered: what nobody reads is dropped. */
  release(): void {
    this.#arriving?.discard();
  }
}

/** A bound of what a compressed form may decode to. */
const largestForm = ({ files, fileSize, fields, fieldSize, parts }: FormLimits): number =>
  files * fileSize + fields * fieldSize + parts * partOverheadBytes;

const partOverheadBytes = 16 * 1024;

function parserFor(create: (config: BusboyConfig) => Busboy, req: IncomingMessage, limits: FormLimits): Busboy {
  const { memory: _memory, fileSize, fieldSize, ...counts } = limits;
  try {
    return create({
      headers: req.headers,
      // Part names are UTF-8; the library's default is latin1.
      defParamCharset: "utf8",
      // It reports what has reached a size limit, not what has passed it.
      limits: { ...counts, fileSize: fileSize + 1, fieldSize: fieldSize + 1 },
    });
  } catch {
    // No boundary.
    throw new WireFailureError(invalidMultipart);
  }
}

interface ArrivingFormParts extends RequestFormParts {
  readonly decode: (manifest: string) => unknown;
}

/** A chunk that waits for its file to be read, and with it everything behind it. */
interface Blocked {
  readonly part: FilePart;
  readonly source: Readable;
  readonly chunk: Buffer;
  isSpilling: boolean;
}

/** A file of the manifest, and what the manifest says about it. */
interface ExpectedFile {
  readonly file: NodeInputFile;
  readonly stated: FileSentinel["meta"];
}

/**
 * A form while it arrives.
 *
 * Files are delivered as they come, at the pace of whoever reads them. Only when waiting would never end, because the
 * manifest or a file that is being read comes behind one that is not, is the one in front put aside.
 */
class ArrivingForm implements IncomingForm {
  readonly opened: Promise<IncomingForm>;
  readonly finished: Promise<void>;
  input: unknown;
  readonly #stream: Readable;
  readonly #parser: Busboy;
  readonly #parts: ArrivingFormParts;
  readonly #spool: Spool;
  readonly #files = new Map<string, FilePart>();
  readonly #begun = new Set<string>();
  readonly #expected = new Map<string, ExpectedFile>();
  #hasManifest = false;
  #isDiscarding = false;
  #isSettled = false;
  #isParsed = false;
  /** File parts that have not been read to their end. */
  #openSources = 0;
  #blocked: Blocked | undefined;
  #open!: (form: IncomingForm) => void;
  #refuse!: (error: Error) => void;
  #finish!: () => void;
  #fail!: (error: Error) => void;

  constructor(stream: Readable, parser: Busboy, parts: ArrivingFormParts) {
    this.#stream = stream;
    this.#parser = parser;
    this.#parts = parts;
    this.#spool = new Spool(parts.limits.memory);
    this.opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#refuse = reject;
    });
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // Who answers the request hears of it through `opened` or by waiting for this one.
    this.finished.catch(() => {});
    this.#listen();
  }

  discard(): void {
    this.#isDiscarding = true;
    for (const part of this.#files.values()) if (!part.isAttended) part.destroy();
    this.#goOn();
  }

  #listen(): void {
    const { idleWatch } = this.#parts.source;
    const refuse = (failure: WireFailure) => () => this.#break(failure);
    this.#parser
      .on("field", (name, value, info) => {
        if (info.nameTruncated || info.valueTruncated) this.#break(payloadTooLarge("Field limit exceeded"));
        else if (name === "__manifest") this.#readManifest(value);
      })
      .on("file", (name, source, info) => this.#receive(name, source, info))
      .on("filesLimit", refuse(payloadTooLarge("Files limit exceeded")))
      .on("fieldsLimit", refuse(payloadTooLarge("Fields limit exceeded")))
      .on("partsLimit", refuse(payloadTooLarge("Parts limit exceeded")))
      .on("error", refuse(invalidMultipart))
      .on("close", () => {
        this.#isParsed = true;
        this.#settleWhenComplete();
      });
    idleWatch.add(this.#onIdle);
    this.#stream
      .on("data", () => idleWatch.touch(this.#onIdle))
      .on("error", (error) => this.#break(this.#failureOf(error)))
      .on("close", () => this.#stream.readableEnded || this.#break(requestAborted))
      .pipe(this.#parser);
    // The connection may have been lost before anybody listened.
    if (this.#stream.destroyed) this.#break(requestAborted);
  }

  readonly #onIdle = (): void => {
    // Whoever sends cannot go on while we do not read.
    if (this.#blocked !== undefined) this.#parts.source.idleWatch.add(this.#onIdle);
    else this.#break(requestTimeout);
  };

  #failureOf(error: Error): WireFailure {
    if (error instanceof WireFailureError) return error.failure;
    const { req } = this.#parts;
    return req.destroyed && !req.complete ? requestAborted : invalidMultipart;
  }

  #readManifest(text: string): void {
    if (this.#isSettled) return;
    if (this.#hasManifest) {
      this.#break(invalidManifest);
      return;
    }
    this.#hasManifest = true;
    try {
      this.input = hydrateFiles(this.#parts.decode(text), (sentinel) => this.#expect(sentinel));
      if (this.#expected.size > this.#parts.limits.files)
        throw new WireFailureError(payloadTooLarge("Files limit exceeded"));
    } catch (error) {
      this.#break(error instanceof WireFailureError ? error.failure : invalidManifest);
      return;
    }
    for (const [id, part] of this.#files) if (!this.#expected.has(id)) part.destroy();
    this.#open(this);
    this.#goOn();
  }

  #expect({ id, meta }: FileSentinel): NodeInputFile {
    const file = new NodeInputFile(mergeFileMeta(meta, this.#metaOf.get(id)), this.#fileOf(id));
    this.#expected.set(id, { file, stated: meta });
    return file;
  }

  readonly #metaOf = new Map<string, { name?: string; type?: string }>();

  #fileOf(id: string): FilePart {
    const known = this.#files.get(id);
    if (known !== undefined) return known;
    const part = new FilePart(this.#spool, { onMoved: () => this.#goOn() });
    part.once("close", () => this.#closeSpoolWhenUnused());
    this.#files.set(id, part);
    return part;
  }

  #receive(name: string, source: Readable, info: FileInfo): void {
    const id = name?.startsWith("file:") ? name.slice(5) : undefined;
    const isWanted = id !== undefined && !this.#begun.has(id) && (!this.#hasManifest || this.#expected.has(id));
    this.#openSources += 1;
    source
      .on("limit", () => this.#break(payloadTooLarge("File size limit exceeded")))
      .on("error", () => this.#break(invalidMultipart))
      .once("close", () => {
        this.#openSources -= 1;
        this.#settleWhenComplete();
      });
    if (this.#isSettled || !isWanted) {
      source.resume();
      return;
    }
    this.#begun.add(id);
    const part = this.#fileOf(id);
    this.#describe(id, info);
    source.on("data", (chunk: Buffer) => this.#take(part, source, chunk)).on("end", () => part.complete());
  }

  /** What came with the bytes fills in what the manifest leaves out. */
  #describe(id: string, { filename, mimeType }: FileInfo): void {
    const carried = { name: filename, type: mimeType };
    this.#metaOf.set(id, carried);
    const expected = this.#expected.get(id);
    if (expected) Object.assign(expected.file, mergeFileMeta(expected.stated, carried));
  }

  #take(part: FilePart, source: Readable, chunk: Buffer): void {
    if (part.offer(chunk)) return;
    source.pause();
    this.#blocked = { part, source, chunk, isSpilling: false };
    this.#goOn();
  }

  /** Moves the blocked chunk on as soon as there is a place for it, or a reason to make one. */
  #goOn(): void {
    const blocked = this.#blocked;
    if (blocked === undefined || blocked.isSpilling || this.#isSettled) return;
    const { part, source, chunk } = blocked;
    if (part.offer(chunk)) this.#unblock(source);
    else if (!this.#hasManifest || this.#isDiscarding || this.#isAnotherStarving(part)) {
      blocked.isSpilling = true;
      part.spill(chunk).then(
        () => this.#unblock(source),
        () => this.#break(streamError),
      );
    }
  }

  #unblock(source: Readable): void {
    this.#blocked = undefined;
    source.resume();
  }

  #isAnotherStarving(blocked: FilePart): boolean {
    for (const part of this.#files.values()) if (part !== blocked && part.isStarving) return true;
    return false;
  }

  #settleWhenComplete(): void {
    if (!this.#isParsed || this.#openSources > 0 || this.#isSettled) return;
    if (!this.#hasManifest) this.#break(missingManifest);
    else if ([...this.#expected.keys()].some((id) => !this.#begun.has(id))) this.#break(missingFilePart);
    else {
      this.#isSettled = true;
      this.#parts.source.idleWatch.delete(this.#onIdle);
      this.#finish();
      this.#closeSpoolWhenUnused();
    }
  }

  /** Something is wrong with the form: whoever waits for it, or for one of its files, learns so. */
  #break(failure: WireFailure): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#parts.source.idleWatch.delete(this.#onIdle);
    const error = new WireFailureError(failure);
    this.#stream.unpipe(this.#parser).pause();
    // Not at once: the parser may be in the middle of telling what is wrong, and trips over its own end.
    process.nextTick(() => this.#parser.destroy());
    for (const part of this.#files.values()) part.destroy(error);
    this.#refuse(error);
    this.#fail(error);
    this.#closeSpoolWhenUnused();
    if (this.#hasManifest) this.#parts.onBroken();
  }

  /** A reader may be slower than the request. */
  #closeSpoolWhenUnused(): void {
    if (!this.#isSettled || [...this.#files.values()].some((part) => !part.closed)) return;
    this.#spool.close();
  }
}
