import { expectTypeOf } from "expect-type";
import { Queue, type QueueEvent } from "./queue";

const queue = new Queue();

expectTypeOf(queue.run(async () => "x")).toEqualTypeOf<Promise<string>>();
expectTypeOf(
  queue.run(async (signal) => {
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    return 5;
  }),
).toEqualTypeOf<Promise<number>>();
expectTypeOf(queue.dispose({ cancel: true })).toEqualTypeOf<Promise<void>>();
expectTypeOf(queue.once("start", (event) => expectTypeOf(event).toEqualTypeOf<QueueEvent>())).toEqualTypeOf<
  () => void
>();

// @ts-expect-error -- the task is asynchronous
void queue.run(() => 5);
// @ts-expect-error -- no such event
queue.on("queued", () => {});
