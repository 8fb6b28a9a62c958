import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { edgeToken, tasks } from "../edgeApp";
import { formHeaders } from "../forms";

/** Sends a request to the edge, over whatever leads to it. */
export type SendRequest = (path: string, init?: RequestInit & { duplex?: "half" }) => Promise<Response>;

/** One server of the application. */
export interface ServedEdge extends AsyncDisposable {
  readonly send: SendRequest;
  /** The base URL; absent where no socket leads there. */
  readonly baseUrl?: string | undefined;
}

/** What a host cannot do, so that its cases differ. */
export interface HostLimits {
  /** It offers no AsyncLocalStorage. */
  readonly withoutContexts?: boolean;
  /** Its requests have no signal that aborts when their caller leaves. */
  readonly withoutSignal?: boolean;
  /** No socket leads there, so that clients cannot call it. */
  readonly withoutSocket?: boolean;
  /** What one request settles may wake another one late, such as a subscriber, whose own timers wake it then. */
  readonly withoutCrossRequestPromises?: boolean;
  /** What it does not say of a caller. */
  readonly withoutAddress?: boolean;
}

export const itemsType = "application/x-runner-items+ndjson";
/** To ask whether something has happened. */
const mostCalls = 5_000;

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const patternOf = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) % 251);

/** A server of the application, and how its cases ask it. */
export type EdgeUnderTest = ReturnType<typeof edgeUnderTest>;

/** @param served gives the server, which is there while cases run */
export function edgeUnderTest(host: string, limits: HostLimits, served: () => ServedEdge) {
  const title = (what: string): string => `a fetch edge served by ${host} ${what}`;
  const send: SendRequest = (path, init) => served().send(path, init);
  const post = (id: string, body: RequestInit["body"], headers: Record<string, string> = {}, more: object = {}) =>
    send(`/__runner/task/${id}`, {
      method: "POST",
      headers: { "x-runner-token": edgeToken, "content-type": "application/json", ...headers },
      body,
      ...more,
    } as RequestInit);
  const call = async (id: string, input: unknown, headers?: Record<string, string>) => {
    const reply = await post(id, JSON.stringify({ input }), headers);
    return { status: reply.status, ...((await reply.json()) as { ok: boolean; result?: unknown; error?: object }) };
  };
  const upload = async (id: string, form: Uint8Array<ArrayBuffer>, more: object = {}) => {
    const reply = await post(id, form, formHeaders, more);
    return { status: reply.status, ...((await reply.json()) as { result?: unknown; error?: { code: string } }) };
  };
  const untilMarked = async (key: string): Promise<void> => {
    for (let calls = 0; calls < mostCalls; calls++) {
      if ((await call(tasks.marked.id, key)).result === true) return;
      // Where no socket is between, nothing else would ever get its turn.
      await nextTurn();
    }
    throw new Error(`"${key}" did not happen.`);
  };
  /** Cases of hosts that have contexts; `withoutContexts` says below what the others do. */
  const withContexts = (name: string, test: () => Promise<void>): void => {
    if (limits.withoutContexts !== true) it(name, test);
  };
  const read = async (id: string, input: unknown, headers: Record<string, string> = {}) => {
    const reply = await post(id, JSON.stringify({ input }), { accept: itemsType, ...headers });
    return { status: reply.status, type: reply.headers.get("content-type"), text: await reply.text() };
  };
  const leave = async (id: string, key: string, headers: Record<string, string> = {}): Promise<void> => {
    const leaving = new AbortController();
    const reply = await post(id, JSON.stringify({ input: key }), headers, { signal: leaving.signal });
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).done).toBe(false);

    leaving.abort();
    await reader.cancel().catch(() => {});
  };
  const baseUrl = (): string => served().baseUrl as string;
  return { title, send, post, call, upload, untilMarked, withContexts, read, leave, limits, baseUrl };
}
