import type { Readable } from "node:stream";
import {
  invalidManifest,
  invalidMultipart,
  missingFilePart,
  missingManifest,
  payloadTooLarge,
  streamError,
  WireFailure,
} from "../../../errors/wireErrors";
import type { OpenedForm } from "../../../tunnels/protocol/wire";
import { filesExceeded, readManifestInput } from "../../../tunnels/http/manifestInput";
import type { Watched } from "../../../tunnels/http/paceWatch";
import { ChunkList } from "../body/chunkList";
import type { FilePart, FilePartOwner } from "./filePart";
import { FormFeed, type FeedOwner, type RequestFormParts } from "./formFeed";
import { FormFiles } from "./formFiles";
import type { Busboy, FileInfo, FormLimits } from "./formParsers";
import { PartQueue, type QueueOwner } from "./partQueue";
import { UploadBuffer } from "./uploadBuffer";

export interface FormReceiverParts {
  readonly request: RequestFormParts;
  readonly decode: (manifest: string) => unknown;
  readonly onOpened: (form: FormReceiver) => void;
  readonly onRefused: (error: Error) => void;
  readonly onBroken: () => void;
}

/** A form while it arrives: its manifest opens it, and its files are delivered as they come. */
export class FormReceiver implements OpenedForm, FilePartOwner, QueueOwner, FeedOwner {
  input: unknown;
  readonly buffer: UploadBuffer;
  readonly #parser: Busboy;
  readonly #parts: FormReceiverParts;
  readonly #limits: FormLimits;
  readonly #feed: FormFeed;
  readonly #queue: PartQueue;
  readonly #files: FormFiles;
  #hasManifest = false;
  #isDiscarding = false;
  #isParsed = false;
  /** File parts that have not been read to their end. */
  #openSources = 0;
  /** Files that may still be read. */
  #openParts = 0;
  #fileCount = 0;
  /** Watches the files that are left when the reply is sent. */
  #leftover: Watched | undefined;
  /** How it ended: `undefined` until then. */
  #outcome: { readonly error?: Error } | undefined;
  #finished: Promise<void> | undefined;
  #settle: ((outcome: { readonly error?: Error }) => void) | undefined;

  constructor(stream: Readable, parser: Busboy, parts: FormReceiverParts) {
    this.#parser = parser;
    this.#parts = parts;
    const { parsers, source } = parts.request;
    this.#limits = parsers.limits;
    this.buffer = new UploadBuffer(parsers.limits.memory, source.budget);
    this.#queue = new PartQueue(this);
    this.#files = new FormFiles(this);
    this.#feed = new FormFeed(stream, parser, parts.request, this);
    this.#listen();
    this.#feed.start();
  }

  /** Made on demand, so that a failure without a waiter is no unhandled rejection. */
  get finished(): Promise<void> {
    return (this.#finished ??= new Promise((resolve, reject) => {
      const settle = ({ error }: { readonly error?: Error }): void => (error === undefined ? resolve() : reject(error));
      if (this.#outcome === undefined) this.#settle = settle;
      else settle(this.#outcome);
    }));
  }

  /** What is wrong with it, as far as that is known. */
  get failure(): Error | undefined {
    return this.#outcome?.error;
  }

  discard(): void {
    this.#isDiscarding = true;
    this.#files.dropUnattended();
    this.#queue.move();
  }

  /** The reply is sent. A reader may go on, but not keep a file by stopping. */
  release(): void {
    this.discard();
    if (this.#openParts === 0) return;
    this.#leftover = {
      progress: () => this.#queue.moves,
      onStalled: () => this.#files.fail(new Error("The call of this file was answered, and the file not read on.")),
    };
    this.#parts.request.source.leftoverWatch.add(this.#leftover);
  }

  // What its parts ask for, and tell it.

  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  get isUrgent(): boolean {
    return !this.#hasManifest || this.#isDiscarding;
  }

  isHeldBack(): boolean {
    return this.#queue.look();
  }

  onOpen(): void {
    this.#openParts += 1;
  }

  onMoved(): void {
    this.#queue.move();
  }

  onStarving(part: FilePart, isStarving: boolean): void {
    this.#queue.setStarving(part, isStarving);
  }

  onGone(): void {
    this.#openParts -= 1;
    this.#queue.move();
    this.#closeBufferWhenUnused();
  }

  onRead(part: FilePart | undefined, source: Readable): void {
    part?.complete();
    this.#openSources -= 1;
    // The parser counts the files whose end was read.
    source.emit("end");
    this.#finishWhenComplete();
  }

  onCleared(): void {
    this.#feed.endWhenComplete();
  }

  onLost(): void {
    this.#break(streamError());
  }

  onFailed(failure: WireFailure): void {
    this.#break(failure);
  }

  #listen(): void {
    this.#parser
      .on("field", (name, value, info) => {
        this.#feed.leaveParser();
        if (info.valueTruncated || this.#isTooLong(name)) this.#break(fieldTooLarge());
        else if (name === "__manifest") this.#readManifest(value);
      })
      .on("file", (name, source, info) => this.#receive(name, source, info))
      .on("filesLimit", () => this.#break(filesExceeded()))
      .on("fieldsLimit", () => this.#break(payloadTooLarge("Fields limit exceeded")))
      .on("partsLimit", () => this.#break(payloadTooLarge("Parts limit exceeded")))
      .on("error", this.#onMalformed)
      .on("close", () => {
        this.#isParsed = true;
        this.#finishWhenComplete();
      });
  }

  readonly #onMalformed = (): void => this.#break(invalidMultipart());

  #readManifest(text: string): void {
    if (this.#outcome !== undefined) return;
    if (this.#hasManifest) {
      this.#break(invalidManifest());
      return;
    }
    this.#hasManifest = true;
    const { decode, onOpened } = this.#parts;
    try {
      this.input = readManifestInput(text, {
        decode,
        expect: (sentinel) => this.#files.expect(sentinel),
        maxFiles: this.#limits.files,
      });
    } catch (error) {
      this.#break(error as WireFailure);
      return;
    }
    this.#files.dropUnnamed();
    onOpened(this);
    this.#queue.move();
  }

  #receive(name: string, source: Readable, info: FileInfo): void {
    this.#openSources += 1;
    source.on("error", this.#onMalformed);
    if (this.#isTooLong(name)) this.#break(fieldTooLarge());
    if (name === "__manifest" && info.filename === undefined) {
      this.#receiveManifest(source);
      return;
    }
    this.#fileCount += 1;
    if (this.#fileCount > this.#limits.files) this.#break(filesExceeded());
    const part = this.#partFor(name, info);
    let leftBytes = this.#limits.fileSize;
    divert(source, (chunk) => {
      if (chunk === null) {
        this.#feed.leaveParser();
        this.#queue.finish(part, source);
        return true;
      }
      this.#feed.leaveParser(chunk.byteLength);
      leftBytes -= chunk.byteLength;
      if (leftBytes < 0) this.#break(payloadTooLarge("File size limit exceeded"));
      return part === undefined || this.#outcome !== undefined || this.#queue.take(part, source, chunk);
    });
  }

  /** @returns `undefined` for what is not needed */
  #partFor(name: string | undefined, info: FileInfo): FilePart | undefined {
    if (this.#outcome !== undefined || !name?.startsWith("file:")) return undefined;
    return this.#files.begin(name.slice(5), info, this.#hasManifest);
  }

  /** A manifest that calls itself bytes, which the parser takes for a file. */
  #receiveManifest(source: Readable): void {
    const chunks = new ChunkList();
    let leftBytes = this.#limits.fieldSize;
    divert(source, (chunk) => {
      if (chunk === null) {
        this.#feed.leaveParser();
        this.#readManifest(chunks.join().toString());
        this.onRead(undefined, source);
        return true;
      }
      leftBytes -= chunk.byteLength;
      if (leftBytes < 0) this.#break(fieldTooLarge());
      else chunks.push(chunk);
      return true;
    });
  }

  #isTooLong(name: string | undefined): boolean {
    const limit = this.#limits.fieldNameSize;
    // Nearly every name is so short that its bytes need not be counted.
    return name !== undefined && name.length * mostBytesPerUnit > limit && Buffer.byteLength(name) > limit;
  }

  #finishWhenComplete(): void {
    if (!this.#isParsed || this.#openSources > 0 || this.#outcome !== undefined) return;
    if (!this.#hasManifest) this.#break(missingManifest());
    else if (this.#files.missingCount > 0) this.#break(missingFilePart());
    else this.#end({});
  }

  /** Something is wrong with the form: what waits for it, or for one of its files, fails. */
  #break(error: WireFailure): void {
    if (this.#outcome !== undefined) return;
    this.#end({ error });
    this.#queue.clear();
    this.#feed.stop();
    // Not at once: the parser may be in the middle of telling what is wrong, and trips over its own end.
    process.nextTick(() => this.#parser.destroy());
    this.#files.fail(error);
    this.#parts.onRefused(error);
    if (this.#hasManifest) this.#parts.onBroken();
  }

  #end(outcome: { readonly error?: Error }): void {
    this.#outcome = outcome;
    this.#feed.close();
    this.#settle?.(outcome);
    this.#closeBufferWhenUnused();
  }

  /** A reader may be slower than the request. */
  #closeBufferWhenUnused(): void {
    if (this.#openParts > 0) return;
    if (this.#leftover !== undefined) this.#parts.request.source.leftoverWatch.delete(this.#leftover);
    if (this.#outcome !== undefined) this.buffer.close();
  }
}

/** Of UTF-8, for a unit of UTF-16. */
const mostBytesPerUnit = 3;
const fieldTooLarge = () => payloadTooLarge("Field limit exceeded");

/**
 * Takes what the parser puts into the stream of a part before it gets there. A stream for each part on the parser's side
 * and another one on the reader's took twice the time.
 *
 * @param take is given the chunks, and `null` at the end; the parser waits when it returns false
 */
function divert(source: Readable, take: (chunk: Buffer | null) => boolean): void {
  source.push = take;
}
