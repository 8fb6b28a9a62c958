import type { IncomingMessage } from "node:http";

/** Limits of JSON bodies. */
export interface JsonLimits {
  /** Largest body, in bytes. Default 2 MiB. */
  readonly maxSize?: number | undefined;
}

/** Limits of multipart bodies; what is left out keeps its default. */
export interface MultipartLimits {
  /** Longest name of a part, be it a field or a file, in bytes. Default 100. */
  readonly fieldNameSize?: number | undefined;
  /** Largest field, the manifest among them, in bytes. Default 1 MiB. */
  readonly fieldSize?: number | undefined;
  /** The manifest counts. Default 100. */
  readonly fields?: number | undefined;
  /** Largest file, in bytes. Default 20 MiB. */
  readonly fileSize?: number | undefined;
  /** Default 10. */
  readonly files?: number | undefined;
  /** Fields and files together. Default: as many as fields and files allow. */
  readonly parts?: number | undefined;
  /** Without effect, for configs of 5.x: the parser reads 16 KiB and 2000 headers of a part, whatever is said here. */
  readonly headerPairs?: number | undefined;
  /** Bytes per request that are kept in memory while nobody reads them; more goes to a temporary file. Default 1 MiB. */
  readonly memory?: number | undefined;
}

/** What an exposure accepts. */
export interface ExposureLimits {
  readonly json?: JsonLimits | undefined;
  readonly multipart?: MultipartLimits | undefined;
  /** Largest compressed octet-stream once decoded, in bytes. Uncompressed ones have no limit. Default 1 GiB. */
  readonly octet?: { readonly maxSize?: number | undefined } | undefined;
  /** Time for a request's headers, on an own server, in ms. Default 15,000. */
  readonly headersMs?: number | undefined;
  /** Longest pause inside a JSON or multipart body, in ms; then 408. Default 30,000. */
  readonly bodyIdleMs?: number | undefined;
  /** Requests served at the same time; more get 503. Default 1000. */
  readonly inFlight?: number | undefined;
  /** Size of a request's headers, on an own server, in bytes. Default 16 KiB. */
  readonly headerBytes?: number | undefined;
  /** How long `close()` waits for requests that are being served, in ms. Default 10,000. */
  readonly closeMs?: number | undefined;
}

/** The limits without gaps. */
export interface ResolvedLimits {
  readonly jsonBytes: number;
  readonly multipart: Required<{ readonly [K in keyof MultipartLimits]: number }>;
  readonly octetBytes: number;
  readonly headersMs: number;
  readonly bodyIdleMs: number;
  readonly inFlight: number;
  readonly headerBytes: number;
  readonly closeMs: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

const multipartDefaults = {
  fieldNameSize: 100,
  fieldSize: MiB,
  fields: 100,
  fileSize: 20 * MiB,
  files: 10,
  headerPairs: 2000,
  memory: MiB,
};

/** Fills the gaps, key by key. @throws {TypeError} a limit is no positive number; the message names the field */
export function resolveLimits(limits: ExposureLimits): ResolvedLimits {
  const stated: { parts?: number } = defined(limits.multipart, "http.limits.multipart");
  const multipart = { ...multipartDefaults, ...stated };
  const { json, octet, headersMs = 15_000, bodyIdleMs = 30_000, inFlight = 1000 } = limits;
  const resolved = {
    jsonBytes: defined(json, "http.limits.json")["maxSize"] ?? 2 * MiB,
    multipart: { ...multipart, parts: stated.parts ?? multipart.fields + multipart.files },
    octetBytes: defined(octet, "http.limits.octet")["maxSize"] ?? KiB * MiB,
    headersMs: integer(headersMs, "http.limits.headersMs"),
    bodyIdleMs: integer(bodyIdleMs, "http.limits.bodyIdleMs"),
    inFlight: limit(inFlight, "http.limits.inFlight"),
    headerBytes: integer(limits.headerBytes ?? 16 * KiB, "http.limits.headerBytes"),
    closeMs: integer(limits.closeMs ?? 10_000, "http.limits.closeMs"),
  };
  return Object.freeze(resolved);
}

function defined(group: object | undefined, field: string): Record<string, number> {
  if (group === undefined) return {};
  if (typeof group !== "object" || group === null) throw new TypeError(`${field} must be an object.`);
  const entries = Object.entries(group).filter(([, value]) => value !== undefined);
  for (const [key, value] of entries) limit(value, `${field}.${key}`);
  return Object.fromEntries(entries);
}

function limit(value: unknown, field: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new TypeError(`${field} must be a number of at least 0, got ${String(value)}.`);
}

/** Timers and Node's own options take no infinity; for them, this is one. */
const integer = (value: unknown, field: string): number => Math.floor(Math.min(limit(value, field), 2 ** 31 - 1));

/**
 * Finds bodies that stopped arriving, with one timer for all of them: a timer per request would cost more than the
 * request.
 */
export class IdleWatch {
  /** Who is watched, and which sweep saw them move last. */
  readonly #movedAt = new Map<() => void, number>();
  readonly #sweepMs: number;
  #sweep = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param idleMs something is found after standing still for this long, or up to a quarter longer */
  constructor(idleMs: number) {
    this.#sweepMs = Math.max(1, idleMs / sweepsPerIdle);
  }

  /** @param onIdle called once, unless it is touched in time or deleted */
  add(onIdle: () => void): void {
    this.#movedAt.set(onIdle, this.#sweep);
    // The timer outlives what it was started for, so that requests in a row do not start one each.
    this.#timer ??= setInterval(() => this.#run(), this.#sweepMs).unref();
  }

  /** It moved. */
  touch(onIdle: () => void): void {
    if (this.#movedAt.has(onIdle)) this.#movedAt.set(onIdle, this.#sweep);
  }

  delete(onIdle: () => void): void {
    this.#movedAt.delete(onIdle);
  }

  #run(): void {
    this.#sweep += 1;
    for (const [onIdle, movedAt] of this.#movedAt) {
      if (this.#sweep - movedAt <= sweepsPerIdle) continue;
      this.#movedAt.delete(onIdle);
      onIdle();
    }
    if (this.#movedAt.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const sweepsPerIdle = 4;

/**
 * Reads on and throws away what a refused request still sends, so that its sender gets to see the answer.
 *
 * @returns a promise that resolves when nothing more comes, or enough was waited for
 */
export function discardRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  // What decodes it has stopped reading.
  request.unpipe();
  return new Promise((resolve) => {
    let seenBytes = 0;
    const finish = (): void => {
      clearTimeout(timer);
      request.off("data", count).off("end", finish).off("close", finish).off("error", finish);
      // Without it the request would be read on for as long as it lasts.
      if (!request.complete) request.destroy();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      seenBytes += chunk.byteLength;
      if (seenBytes > discardBytes) finish();
    };
    const timer = setTimeout(finish, discardMs).unref();
    request.on("data", count).on("end", finish).on("close", finish).on("error", finish).resume();
  });
}

const discardBytes = 16 * MiB;
const discardMs = 5000;
