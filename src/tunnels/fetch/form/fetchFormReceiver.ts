import {
  bufferFull,
  invalidManifest,
  invalidMultipart,
  missingFilePart,
  missingManifest,
  payloadTooLarge,
  requestAborted,
  requestTimeout,
  WireFailure,
} from "../../../errors/wireErrors";
import { PaceWatch } from "../../http/paceWatch";
import type { ResolvedCallLimits } from "../../http/config/callLimits";
import type { OpenedForm } from "../../protocol/wire";
import { filesExceeded, readManifestInput } from "../../http/manifestInput";
import { ByteCollector, openPieces } from "../bytePieces";
import { declaredBytes, type BodySource } from "../fetchText";
import { isFilePart, type PartHead } from "./disposition";
import { FetchFormFiles } from "./fetchFormFiles";
import type { FetchPartOwner } from "./fetchPart";
import { FormMemory } from "./formMemory";
import type { CreateFormParser, FormListener, FormParser, PartSink } from "./formParser";

/** How the forms of one edge are read. */
export interface FetchFormParts {
  readonly source: BodySource;
  readonly limits: ResolvedCallLimits["multipart"];
}

export interface FetchReceiverParts extends FetchFormParts {
  readonly request: Request;
  readonly createParser: CreateFormParser;
  readonly decode: (manifest: string) => unknown;
  readonly onOpened: (form: OpenedForm) => void;
  readonly onRefused: (error: Error) => void;
  /** Something was wrong with it after it was opened. */
  readonly onBroken: () => void;
}

/**
 * A form while it arrives: its manifest opens it, and its files are delivered as they come, at the pace of their readers.
 *
 * There is no disk to put anything aside: what arrives before it can be read has the memory that the form may take.
 */
export class FetchFormReceiver implements OpenedForm, FormListener, FetchPartOwner {
  input: unknown;
  readonly memory: FormMemory;
  readonly finished: Promise<void>;
  readonly #parts: FetchReceiverParts;
  readonly #limits: FetchFormParts["limits"];
  readonly #files: FetchFormFiles;
  readonly #watch: PaceWatch;
  readonly #settle: { resolve: () => void; reject: (error: Error) => void };
  #parser: FormParser | undefined;
  #seenBytes = 0;
  #partCount = 0;
  #fieldCount = 0;
  #fileCount = 0;
  #hasManifest = false;
  #isDiscarding = false;
  /** Its readers hold the body back. */
  #isHeldBack = false;
  #isOver = false;
  #failure: Error | undefined;
  #onMoved: (() => void) | undefined;
  #leftover: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: FetchReceiverParts) {
    const { limits, source } = parts;
    this.#parts = parts;
    this.#limits = limits;
    this.memory = new FormMemory(limits.memory, source.budget);
    this.#files = new FetchFormFiles(this);
    this.#watch = new PaceWatch(source.idleMs, source.rate);
    this.#settle = { resolve() {}, reject() {} };
    this.finished = new Promise((resolve, reject) => Object.assign(this.#settle, { resolve, reject }));
    // A failure that nothing waits for is no unhandled rejection.
    this.finished.catch(() => {});
  }

  get arrivedBytes(): number {
    return this.#seenBytes;
  }

  /** What is wrong with it, as far as that is known. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  start(): void {
    const { request, createParser, limits } = this.#parts;
    if ((declaredBytes(request) ?? 0) > limits.totalSize) this.#break(formTooLarge());
    else if (request.body === null) this.#break(invalidMultipart());
    else {
      this.#parser = createParser(request.headers.get("content-type") ?? "", this);
      if (!this.#isOver) void this.#feed(request.body);
    }
  }

  discard(): void {
    this.#isDiscarding = true;
    this.#files.dropUnattended();
    this.onMoved();
  }

  /** The reply is sent. A reader may go on, but not keep a file by stopping. */
  release(): void {
    this.discard();
    if (!this.#isOver && !this.#files.isAnyOpen) this.#end(undefined);
    this.#watchLeftover();
  }

  onMoved(): void {
    const moved = this.#onMoved;
    this.#onMoved = undefined;
    moved?.();
    if (this.#leftover !== undefined) this.#watchLeftover();
  }

  onPart(head: PartHead | undefined): PartSink {
    this.#partCount += 1;
    if (this.#partCount > this.#limits.parts) this.#break(payloadTooLarge("Parts limit exceeded"));
    if (head === undefined) return ignore;
    if (this.#isTooLong(head.name)) this.#break(fieldTooLarge());
    if (head.name === "__manifest" && head.filename === undefined) return this.#field(head, isFilePart(head));
    return isFilePart(head) ? this.#file(head) : this.#field(head, false);
  }

  onMalformed(): void {
    this.#break(invalidMultipart());
  }

  onComplete(): void {
    if (this.#isOver) return;
    if (!this.#hasManifest) this.#break(missingManifest());
    else if (this.#files.isMissingAny) this.#break(missingFilePart());
    else this.#end(undefined);
  }

  async #feed(body: ReadableStream<Uint8Array>): Promise<void> {
    let pieces: ReturnType<typeof openPieces> | undefined;
    try {
      pieces = openPieces(body);
      this.#watch.add({
        progress: () => (this.#isHeldBack ? undefined : this.#seenBytes),
        onStalled: () => this.#break(requestTimeout()),
      });
      for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
        if (this.#isOver) return;
        this.#seenBytes += piece.byteLength;
        if (this.#seenBytes > this.#limits.totalSize) this.#break(formTooLarge());
        await this.#parse(piece);
        // What comes after the last boundary is not waited for: it may never end.
        if (this.#isOver) return;
      }
      this.#parser?.end();
    } catch {
      this.#break(requestAborted());
    } finally {
      this.#watch.close();
      pieces?.release();
    }
  }

  /** In slices: a body may come as one piece, however large it is. */
  async #parse(piece: Uint8Array): Promise<void> {
    for (let start = 0; start < piece.byteLength && !this.#isOver; start += sliceBytes) {
      this.#parser?.write(piece.subarray(start, start + sliceBytes));
      while (this.memory.isFull && !this.#isOver) await this.#makeRoom();
    }
  }

  /** Waits until something was read; what would wait for ever has too much before it. */
  async #makeRoom(): Promise<void> {
    if (!this.#hasManifest || this.#files.isAnyStarving) {
      this.#break(this.#parts.source.budget.fits(0) ? outOfOrder() : bufferFull());
      return;
    }
    this.#isHeldBack = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#onMoved = resolve;
      // Its task has settled, and the reply waits for the rest of the form.
      if (this.#isDiscarding) timer = setTimeout(() => this.#files.fail(unread()), this.#parts.source.idleMs);
    });
    clearTimeout(timer);
    this.#isHeldBack = false;
  }

  /** What a reader leaves for too long once the reply is sent is dropped. */
  #watchLeftover(): void {
    clearTimeout(this.#leftover);
    this.#leftover = undefined;
    if (!this.#files.isAnyOpen) return;
    this.#leftover = setTimeout(() => this.#files.fail(unread()), this.#parts.source.idleMs);
    (this.#leftover as { unref?: () => void }).unref?.();
  }

  #field({ name }: PartHead, isBytes: boolean): PartSink {
    if (!isBytes) {
      this.#fieldCount += 1;
      if (this.#fieldCount > this.#limits.fields) this.#break(payloadTooLarge("Fields limit exceeded"));
    }
    const isManifest = name === "__manifest";
    const collected = new ByteCollector();
    let leftBytes = this.#limits.fieldSize;
    let isRead = false;
    return (piece) => {
      if (piece !== null) {
        leftBytes -= piece.byteLength;
        if (leftBytes < 0) this.#break(fieldTooLarge());
        else if (isManifest) collected.push(piece);
      } else if (isManifest && !isRead) {
        isRead = true;
        this.#readManifest(collected.text());
      }
    };
  }

  #file(head: PartHead): PartSink {
    this.#fileCount += 1;
    if (this.#fileCount > this.#limits.files) this.#break(filesExceeded());
    const isNeeded = !this.#isOver && head.name?.startsWith("file:") === true;
    const part = isNeeded ? this.#files.begin(head.name?.slice(5) ?? "", head, this.#hasManifest) : undefined;
    let leftBytes = this.#limits.fileSize;
    return (piece) => {
      if (this.#isOver) return;
      if (piece === null) {
        part?.complete();
        return;
      }
      leftBytes -= piece.byteLength;
      if (leftBytes < 0) this.#break(payloadTooLarge("File size limit exceeded"));
      else part?.offer(piece);
    };
  }

  #readManifest(text: string): void {
    if (this.#isOver) return;
    if (this.#hasManifest) {
      this.#break(invalidManifest());
      return;
    }
    this.#hasManifest = true;
    try {
      this.input = readManifestInput(text, {
        decode: this.#parts.decode,
        expect: (sentinel) => this.#files.expect(sentinel),
        maxFiles: this.#limits.files,
      });
    } catch (error) {
      this.#break(error as WireFailure);
      return;
    }
    this.#files.dropUnnamed();
    this.#parts.onOpened(this);
  }

  #isTooLong(name: string | undefined): boolean {
    const limit = this.#limits.fieldNameSize;
    // Of UTF-8, at most three bytes stand for a unit of UTF-16.
    return name !== undefined && name.length * 3 > limit && new TextEncoder().encode(name).byteLength > limit;
  }

  /** Something is wrong with the form: what waits for it, or for one of its files, fails. */
  #break(error: WireFailure): void {
    if (this.#isOver) return;
    this.#end(error);
    this.#files.fail(error);
    this.#parts.onRefused(error);
    if (this.#hasManifest) this.#parts.onBroken();
  }

  #end(failure: WireFailure | undefined): void {
    this.#isOver = true;
    this.#failure = failure;
    this.#watch.close();
    if (failure === undefined) this.#settle.resolve();
    else this.#settle.reject(failure);
    this.onMoved();
  }
}

const sliceBytes = 65_536;
const ignore: PartSink = () => {};
const fieldTooLarge = () => payloadTooLarge("Field limit exceeded");
const formTooLarge = () => payloadTooLarge("Form size limit exceeded");
const outOfOrder = () =>
  payloadTooLarge("Multipart memory limit exceeded: send the manifest first, and files in the order they are read");
const unread = () => new Error("The call of this file was answered, and the file not read on.");
