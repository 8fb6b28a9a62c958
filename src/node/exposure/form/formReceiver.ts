import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import {
  bufferFull,
  invalidManifest,
  invalidMultipart,
  missingFilePart,
  missingManifest,
  payloadTooLarge,
  requestAborted,
  requestTimeout,
  streamError,
  WireFailure,
} from "../../../errors/wireErrors";
import type { FileSentinel } from "../../../platform/inputFile";
import type { OpenedForm } from "../../../tunnels/protocol/wire";
import { hydrateFiles } from "../../../tunnels/server/hydrateFiles";
import { mergeFileMeta } from "../../../tunnels/server/openForm";
import { NodeInputFile } from "../../files/nodeInputFile";
import { FilePart, type FilePartOwner } from "./filePart";
import { isFormComplete, type Busboy, type FileInfo, type FormParsers } from "./formParsers";
import { countReceived, type BodySource } from "../body/requestText";
import type { Watched } from "../../server/paceWatch";
import { ChunkList } from "../body/chunkList";
import { UploadBuffer } from "./uploadBuffer";

/** The request a form comes with, and how it is read. */
export interface RequestFormParts {
  readonly req: IncomingMessage;
  readonly source: BodySource;
  readonly parsers: FormParsers;
}

export interface FormReceiverParts {
  readonly request: RequestFormParts;
  readonly decode: (manifest: string) => unknown;
  readonly onOpened: (form: FormReceiver) => void;
  readonly onRefused: (error: Error) => void;
  readonly onBroken: () => void;
}

/** What waits for its turn behind a chunk that has no place yet: another chunk, or the end of a file. */
interface Waiting {
  readonly part: FilePart;
  readonly source: Readable;
  /** `null` at the end of the file. */
  readonly chunk: Buffer | null;
}

/** What is known of a file: from the manifest, from its part of the form, or from both. */
interface FormFile {
  readonly part: FilePart;
  /** Once the manifest has named it. */
  handle?: NodeInputFile;
  stated?: FileSentinel["meta"];
  /** Once its part has begun. */
  carried?: { readonly name: string; readonly type: string };
}

/**
 * A form while it arrives.
 *
 * Files are delivered as they come, at the pace of their readers. Only when waiting would never end, because the
 * manifest or a file that is being read comes behind one that is not, is the one in front put aside.
 */
export class FormReceiver implements OpenedForm, FilePartOwner {
  input: unknown;
  readonly buffer: UploadBuffer;
  readonly #stream: Readable;
  readonly #parser: Busboy;
  readonly #parts: FormReceiverParts;
  readonly #files = new Map<string, FormFile>();
  #hasManifest = false;
  #isDiscarding = false;
  #isReleased = false;
  #isParsed = false;
  /** The last boundary was read. */
  #isLastSeen = false;
  /** Its end is not waited for. */
  #isEnding = false;
  /** Files that the manifest names and whose part has not begun. */
  #missingCount = 0;
  /** File parts that have not been read to their end. */
  #openSources = 0;
  /** Files that may still be read. */
  #openParts = 0;
  #fileCount = 0;
  /** In the order it arrived: the parser goes on with what it was given, whatever it is told. */
  readonly #waiting: Waiting[] = [];
  #isHeld = false;
  readonly #starving = new Set<FilePart>();
  #smallChunks: ChunkList | undefined;
  #seenBytes = 0;
  /** Bytes that the parser may hold: those of a field that is not complete. */
  #parserBytes = 0;
  readonly #isCoded: boolean;
  /** Bytes that have come over the connection, as far as they differ from those that are parsed. */
  readonly #receivedBytes: () => number;
  #moves = 0;
  #seenMoves = 0;
  /** How many looks in a row have found it held back by a task that does not read. */
  #heldLooks = 0;
  #isSettingAside = false;
  #isMoving = false;
  #isSpilling = false;
  /** How it ended: `undefined` until then. */
  #outcome: { readonly error?: Error } | undefined;
  #finished: Promise<void> | undefined;
  #settle: ((outcome: { readonly error?: Error }) => void) | undefined;

  constructor(stream: Readable, parser: Busboy, parts: FormReceiverParts) {
    this.#stream = stream;
    this.#parser = parser;
    this.#parts = parts;
    const { req, parsers, source } = parts.request;
    this.#isCoded = stream !== req;
    this.#receivedBytes = this.#isCoded ? countReceived(req) : () => this.#seenBytes;
    this.buffer = new UploadBuffer(parsers.limits.memory, source.budget);
    this.#listen();
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
    for (const { part } of this.#files.values()) if (!part.isAttended) part.destroy();
    this.onMoved();
  }

  /** The reply is sent. A reader may go on, but not keep a file by stopping. */
  release(): void {
    this.discard();
    if (this.#openParts === 0) return;
    this.#isReleased = true;
    this.#parts.request.source.leftoverWatch.add(this.#leftover);
  }

  onStarving(part: FilePart, isStarving: boolean): void {
    if (isStarving) this.#starving.add(part);
    else this.#starving.delete(part);
  }

  onGone(): void {
    this.#openParts -= 1;
    this.onMoved();
    this.#closeBufferWhenUnused();
  }

  /** Moves on what waits, as far as there is a place for it or a reason to make one. */
  onMoved(): void {
    this.#moves += 1;
    // A reader that is given something may ask for more in the middle of it.
    if (this.#isMoving || this.#waiting.length === 0) return;
    this.#isMoving = true;
    while (this.#outcome === undefined && !this.#isSpilling) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#place(next)) break;
      this.#shift();
    }
    this.#isMoving = false;
  }

  /** @returns false when it has to go on waiting */
  #place({ part, source, chunk }: Waiting): boolean {
    if (chunk === null) {
      this.#complete(part, source);
      return true;
    }
    if (part.offer(chunk)) return true;
    const isUrgent = !this.#hasManifest || this.#isDiscarding || this.#isSettingAside;
    if (isUrgent || this.#isAnotherStarving(part)) void this.#spill(part, chunk);
    return false;
  }

  async #spill(part: FilePart, chunk: Buffer): Promise<void> {
    this.#isSpilling = true;
    try {
      await part.spill(chunk);
    } catch {
      this.#break(streamError());
      return;
    }
    this.#isSpilling = false;
    this.#shift();
    this.onMoved();
  }

  /** The parser takes the next chunk once nothing of the last one waits. */
  #shift(): void {
    const source = this.#waiting.shift()?.source;
    if (this.#waiting.length > 0) return;
    source?._read(0);
    this.#endWhenComplete();
  }

  #listen(): void {
    this.#parser
      .on("field", (name, value, info) => {
        this.#leaveParser(this.#parserBytes);
        if (info.valueTruncated || this.#isTooLong(name)) this.#break(fieldTooLarge());
        else if (name === "__manifest") this.#readManifest(value);
      })
      .on("file", (name, source, info) => this.#receive(name, source, info))
      .on("filesLimit", () => this.#break(filesExceeded()))
      .on("fieldsLimit", () => this.#break(payloadTooLarge("Fields limit exceeded")))
      .on("partsLimit", () => this.#break(payloadTooLarge("Parts limit exceeded")))
      .on("error", this.#onMalformed)
      .on("drain", this.#onDrain)
      .on("close", () => {
        this.#isParsed = true;
        this.#finishWhenComplete();
      });
    this.#parts.request.source.paceWatch.add(this.#arrival);
    this.#stream
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("error", (error) => this.#break(this.#failureOf(error)))
      .on("close", this.#onClose)
      .resume();
    // The connection may have been lost before a listener was attached.
    if (this.#stream.destroyed) this.#break(requestAborted());
  }

  /** Not `pipe`: it brings as many listeners of its own, and what is counted needs this one anyway. */
  readonly #onData = (chunk: Buffer): void => {
    this.#seenBytes += chunk.byteLength;
    if (this.#seenBytes > this.#parts.request.parsers.limits.totalSize) {
      this.#break(formTooLarge());
      return;
    }
    if (chunk.byteLength >= smallBytes) {
      this.#parseSmall();
      this.#parse(chunk);
      return;
    }
    // What the socket brought at once comes in one turn, and each chunk would remain one in the files.
    if (this.#smallChunks === undefined) {
      this.#smallChunks = new ChunkList();
      setImmediate(this.#parseSmall);
    }
    this.#smallChunks.push(chunk);
  };

  readonly #parseSmall = (): void => {
    const chunks = this.#smallChunks;
    this.#smallChunks = undefined;
    if (chunks !== undefined) this.#parse(chunks.join());
  };

  #parse(chunk: Buffer): void {
    if (this.#outcome !== undefined || this.#isEnding) return;
    if (!this.#enterParser(chunk.byteLength)) {
      this.#break(bufferFull());
      return;
    }
    if (!this.#parser.write(chunk) && this.#outcome === undefined) this.#stream.pause();
    this.#endWhenComplete();
  }

  /** @returns false when there is no room for what the parser may hold: one field, since it drops what is no part */
  #enterParser(bytes: number): boolean {
    const { source, parsers } = this.#parts.request;
    const heldBytes = Math.min(bytes, Math.max(0, parsers.limits.fieldSize - this.#parserBytes));
    if (!source.budget.take(heldBytes)) return false;
    this.#parserBytes += heldBytes;
    return true;
  }

  /** What the parser has passed on is no longer held by it: the bytes of files, and fields that are complete. */
  #leaveParser(bytes: number): void {
    const left = Math.min(bytes, this.#parserBytes);
    this.#parserBytes -= left;
    this.#parts.request.source.budget.release(left);
  }

  /**
   * What comes after the last boundary is not waited for: it may never end. It is thrown away with the reply. Of a coded
   * form the end is part of the coding.
   */
  #endWhenComplete(): void {
    if (this.#isLastSeen || this.#outcome !== undefined || this.#isCoded || !isFormComplete(this.#parser)) return;
    this.#isLastSeen = true;
    const { req } = this.#parts.request;
    // Of nearly every request this was all, and its end comes by itself in this turn.
    process.nextTick(() => req.complete || setImmediate(this.#endEarly));
  }

  readonly #endEarly = (): void => {
    if (this.#outcome !== undefined || this.#stream.readableEnded) return;
    this.#isEnding = true;
    this.#parts.request.source.paceWatch.delete(this.#arrival);
    this.#stream.off("data", this.#onData).pause();
    this.#parser.end();
  };

  readonly #onDrain = (): void => {
    this.#endWhenComplete();
    if (this.#outcome === undefined && !this.#isEnding) this.#stream.resume();
  };

  readonly #onEnd = (): void => {
    // Behind them, and not at once: what they have opened is to see them before it sees the end.
    if (this.#smallChunks !== undefined) setImmediate(this.#onEnd);
    else if (this.#outcome === undefined && !this.#isEnding) this.#parser.end();
  };

  readonly #onClose = (): void => {
    if (!this.#stream.readableEnded && !this.#isEnding) this.#break(requestAborted());
  };

  readonly #onMalformed = (): void => this.#break(invalidMultipart());

  readonly #arrival: Watched = {
    progress: () => {
      // The sender cannot go on while nothing is read, and has the time until the next look to do so.
      const isHeld = this.#isHeld || this.#waiting.length > 0;
      this.#isHeld = this.#waiting.length > 0;
      if (!isHeld) return this.#receivedBytes();
      this.#considerSettingAside();
      return undefined;
    },
    onStalled: () => this.#break(requestTimeout()),
  };

  /**
   * A connection that is not read from does not show that its caller has left. What its task does not read for a while
   * is therefore put aside.
   */
  #considerSettingAside(): void {
    const isMoving = this.#moves !== this.#seenMoves;
    this.#seenMoves = this.#moves;
    this.#heldLooks = isMoving ? 0 : this.#heldLooks + 1;
    this.#isSettingAside = this.#heldLooks >= looksPerIdle;
    if (this.#isSettingAside) this.onMoved();
  }

  readonly #leftover: Watched = {
    progress: () => this.#moves,
    onStalled: () => {
      const error = new Error("The call of this file was answered, and the file not read on.");
      for (const { part } of this.#files.values()) part.destroy(error);
    },
  };

  #failureOf(error: Error): WireFailure {
    if (error instanceof WireFailure) return error;
    const { req } = this.#parts.request;
    return req.destroyed && !req.complete ? requestAborted() : invalidMultipart();
  }

  #readManifest(text: string): void {
    if (this.#outcome !== undefined) return;
    if (this.#hasManifest) {
      this.#break(invalidManifest());
      return;
    }
    this.#hasManifest = true;
    const { request, decode, onOpened } = this.#parts;
    let namedCount = 0;
    try {
      this.input = hydrateFiles(decode(text), (sentinel) => {
        namedCount += 1;
        return this.#expect(sentinel);
      });
    } catch (error) {
      this.#break(error instanceof WireFailure ? error : invalidManifest());
      return;
    }
    if (namedCount > request.parsers.limits.files) {
      this.#break(filesExceeded());
      return;
    }
    for (const { part, handle } of this.#files.values()) if (handle === undefined) part.destroy();
    onOpened(this);
    this.onMoved();
  }

  #expect({ id, meta }: FileSentinel): NodeInputFile {
    const file = this.#fileOf(id);
    file.stated = meta;
    file.handle = new NodeInputFile(mergeFileMeta(meta, file.carried), () => file.part.open());
    if (file.carried === undefined) this.#missingCount += 1;
    return file.handle;
  }

  #fileOf(id: string): FormFile {
    const known = this.#files.get(id);
    if (known !== undefined) return known;
    const file = { part: new FilePart(this) };
    this.#openParts += 1;
    this.#files.set(id, file);
    return file;
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
    if (this.#fileCount > this.#parts.request.parsers.limits.files) this.#break(filesExceeded());
    const file =
      this.#outcome === undefined && name?.startsWith("file:") ? this.#begin(name.slice(5), info) : undefined;
    let leftBytes = this.#parts.request.parsers.limits.fileSize;
    divert(source, (chunk) => {
      this.#leaveParser(chunk?.byteLength ?? this.#parserBytes);
      if (chunk === null) return this.#finishFile(file?.part, source);
      leftBytes -= chunk.byteLength;
      if (leftBytes < 0) this.#break(payloadTooLarge("File size limit exceeded"));
      return file === undefined || this.#outcome !== undefined || this.#take(file.part, source, chunk);
    });
  }

  /** A manifest that calls itself bytes, which the parser takes for a file. */
  #receiveManifest(source: Readable): void {
    const chunks = new ChunkList();
    let leftBytes = this.#parts.request.parsers.limits.fieldSize;
    divert(source, (chunk) => {
      if (chunk === null) {
        this.#leaveParser(this.#parserBytes);
        this.#readManifest(chunks.join().toString());
        this.#complete(undefined, source);
        return true;
      }
      leftBytes -= chunk.byteLength;
      if (leftBytes < 0) this.#break(fieldTooLarge());
      else chunks.push(chunk);
      return true;
    });
  }

  #isTooLong(name: string | undefined): boolean {
    return name !== undefined && Buffer.byteLength(name) > this.#parts.request.parsers.limits.fieldNameSize;
  }

  /** @returns `undefined` for what is not needed, and for a second part of one file */
  #begin(id: string, { filename, mimeType }: FileInfo): FormFile | undefined {
    const isUnknown = !this.#files.has(id);
    if (isUnknown && this.#hasManifest) return undefined;
    const file = this.#fileOf(id);
    if (file.carried !== undefined) return undefined;
    file.carried = { name: filename, type: mimeType };
    if (file.handle !== undefined) {
      this.#missingCount -= 1;
      // What came with the bytes fills in what the manifest leaves out.
      Object.assign(file.handle, mergeFileMeta(file.stated, file.carried));
    }
    return file;
  }

  /** @returns false when the parser is to wait */
  #take(part: FilePart, source: Readable, chunk: Buffer): boolean {
    if (this.#waiting.length === 0 && part.offer(chunk)) return true;
    this.#isHeld = true;
    this.#waiting.push({ part, source, chunk });
    this.onMoved();
    return this.#waiting.length === 0;
  }

  #finishFile(part: FilePart | undefined, source: Readable): boolean {
    if (part === undefined || this.#waiting.length === 0) this.#complete(part, source);
    else this.#waiting.push({ part, source, chunk: null });
    return true;
  }

  /** A file part was read to its end. */
  #complete(part: FilePart | undefined, source: Readable): void {
    part?.complete();
    this.#openSources -= 1;
    // The parser counts the files whose end was read.
    source.emit("end");
    this.#finishWhenComplete();
  }

  #isAnotherStarving(blocked: FilePart): boolean {
    return this.#starving.size > (this.#starving.has(blocked) ? 1 : 0);
  }

  #finishWhenComplete(): void {
    if (!this.#isParsed || this.#openSources > 0 || this.#outcome !== undefined) return;
    if (!this.#hasManifest) this.#break(missingManifest());
    else if (this.#missingCount > 0) this.#break(missingFilePart());
    else this.#end({});
  }

  /** Something is wrong with the form: what waits for it, or for one of its files, fails. */
  #break(error: WireFailure): void {
    if (this.#outcome !== undefined) return;
    this.#end({ error });
    this.#waiting.length = 0;
    this.#stream.off("data", this.#onData).pause();
    // Not at once: the parser may be in the middle of telling what is wrong, and trips over its own end.
    process.nextTick(() => this.#parser.destroy());
    for (const { part } of this.#files.values()) part.destroy(error);
    this.#parts.onRefused(error);
    if (this.#hasManifest) this.#parts.onBroken();
  }

  #end(outcome: { readonly error?: Error }): void {
    this.#outcome = outcome;
    this.#leaveParser(this.#parserBytes);
    this.#parts.request.source.paceWatch.delete(this.#arrival);
    this.#settle?.(outcome);
    this.#closeBufferWhenUnused();
  }

  /** A reader may be slower than the request. */
  #closeBufferWhenUnused(): void {
    if (this.#openParts > 0) return;
    if (this.#isReleased) this.#parts.request.source.leftoverWatch.delete(this.#leftover);
    if (this.#outcome !== undefined) this.buffer.close();
  }
}

const smallBytes = 1024;
/** A body is looked at so often in the time for which it may stand still. */
const looksPerIdle = 4;
const formTooLarge = () => payloadTooLarge("Form size limit exceeded");
const fieldTooLarge = () => payloadTooLarge("Field limit exceeded");
const filesExceeded = () => payloadTooLarge("Files limit exceeded");

/**
 * Takes what the parser puts into the stream of a part before it gets there. A stream for each part on the parser's side
 * and another one on the reader's took twice the time.
 *
 * @param take is given the chunks, and `null` at the end; the parser waits when it returns false
 */
function divert(source: Readable, take: (chunk: Buffer | null) => boolean): void {
  source.push = take;
}
