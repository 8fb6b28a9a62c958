import { expectTypeOf } from "expect-type";
import { Semaphore, type SemaphoreEvent } from "./semaphore";

const semaphore = new Semaphore(1);

expectTypeOf(semaphore.withPermit(async () => 5)).toEqualTypeOf<Promise<number>>();
expectTypeOf(semaphore.withPermit(async () => {})).toEqualTypeOf<Promise<void>>();
expectTypeOf(semaphore.acquire({ timeout: undefined, signal: undefined })).toEqualTypeOf<Promise<void>>();
expectTypeOf(semaphore.on("queued", (event) => expectTypeOf(event).toEqualTypeOf<SemaphoreEvent>())).toEqualTypeOf<
  () => void
>();

// @ts-expect-error -- the function is asynchronous
void semaphore.withPermit(() => 5);
// @ts-expect-error -- no such event
semaphore.on("started", () => {});
