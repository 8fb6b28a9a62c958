/** Runs in the page: reads streams of items and subscriptions that a test describes to it, one step at a time. */
import { Serializer, type ItemStream, type Subscription } from "../../index";
import { clientFor, failureOf, runUntilAborted, type PageClientConfig, type PageFailure } from "./pageCalls";

/** A stream, in a form that reaches the page. */
export interface PageStreamOrder {
  /** Names the stream to the other functions, and to `abort`. */
  readonly key: number;
  readonly client: PageClientConfig;
  /** Graph text of the id and the input of a streamed task, or of the ids and `after` of a subscription. */
  readonly target:
    | { readonly kind: "task"; readonly id: string; readonly input: string; readonly items?: string | undefined }
    | { readonly kind: "events"; readonly ids: readonly string[]; readonly after: string };
  readonly isAborted: boolean;
}

/** What a subscription said by a callback; `value` is graph text. */
export interface PageNotice {
  readonly kind: "gap" | "open";
  readonly value: string;
}

/** A step of reading, with all that was said until then. */
export type PageStep = { readonly notices: readonly PageNotice[] } & (
  { readonly kind: "step"; readonly done: boolean; readonly value: string } | PageFailure
);

interface OpenedStream {
  readonly stream: ItemStream<unknown, unknown> | Subscription;
  readonly iterator: AsyncIterator<unknown, unknown, undefined>;
  readonly signal: AbortSignal;
  readonly notices: PageNotice[];
  /** Called at each notice. */
  onNotice: () => void;
}

const opened = new Map<number, OpenedStream>();
const serializer = new Serializer();

/** Makes a stream; it begins with its first step. */
export function open({ key, client: config, target, isAborted }: PageStreamOrder): void {
  const { signal } = runUntilAborted(key, isAborted);
  const client = clientFor(config);
  const notices: PageNotice[] = [];
  const note = (kind: PageNotice["kind"]) => (value: unknown) => {
    notices.push({ kind, value: serializer.serialize(value) });
    opened.get(key)?.onNotice();
  };
  const stream =
    target.kind === "task"
      ? client.stream(target.id, serializer.deserialize(target.input), {
          signal,
          ...(target.items !== undefined && { items: serializer.deserialize<unknown[]>(target.items) }),
        })
      : client.subscribe(target.ids, {
          after: serializer.deserialize(target.after),
          onGap: note("gap"),
          onOpen: note("open"),
          signal,
        });
  opened.set(key, { stream, iterator: stream[Symbol.asyncIterator](), signal, notices, onNotice() {} });
}

/** Asks for the next item, leaves the loop, or waits for what the task returns. */
export async function take(key: number, what: "next" | "return" | "result"): Promise<PageStep> {
  const { stream, iterator, signal, notices } = opened.get(key) as OpenedStream;
  try {
    const step =
      what === "result"
        ? { done: true, value: await (stream as ItemStream<unknown, unknown>).result }
        : await iterator[what]?.();
    return { kind: "step", done: step?.done === true, value: serializer.serialize(step?.value), notices };
  } catch (error) {
    return { ...failureOf(error, signal), notices };
  }
}

/** Resolves with what was said, once that is more than is known. */
export async function untilToldMore(key: number, known: number): Promise<readonly PageNotice[]> {
  const stream = opened.get(key) as OpenedStream;
  while (stream.notices.length <= known) await new Promise<void>((resolve) => (stream.onNotice = resolve));
  return stream.notices;
}
