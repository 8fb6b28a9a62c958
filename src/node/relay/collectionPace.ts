import { getHeapSpaceStatistics } from "node:v8";

/** V8 marks the whole heap once buffers that no minor collection has freed yet have grown it by 8 MB. */
const bytesPerMinorCollection = 6_291_456;
/** How often the young generation is measured, in bytes of buffers: it grows and shrinks with what a program does. */
const measureBytes = 33_554_432;
/** Fillers are made for this much at a time, in bytes of buffers. */
const stepBytes = 65_536;
/** Only what passes this much on within a second gains more CPU time than it costs memory, in bytes. */
const bulkBytes = 50_331_648;
const secondMs = 1_000;
/** Larger arrays would not be made in the young generation. */
const maxElements = 8_000;

/**
 * Has buffers freed by minor collections, which cost next to nothing, instead of major ones.
 *
 * Buffers of sockets lie outside the heap and hardly fill the young generation, whose filling is what starts a minor
 * collection. Until one has run, they count as growth of the old generation, so that a small heap that passes 300 MB a
 * second on is marked as a whole twenty times a second: half of the CPU time. Arrays that are dropped at once fill the
 * young generation before that. The price is memory: with more minor collections V8 lets the young generation grow to
 * its limit, up to 25 MB more than without. So it begins where bulk is passed on, at 48 MB within a second: buffers that
 * are held, as those of visitors who read nothing, gain nothing by it.
 *
 * @returns to be called with the size of each buffer that was received, in bytes
 */
export function createCollectionPace(): (bytes: number) => void {
  let secondBeganMs = 0;
  let secondBytes = 0;
  let isBulk = false;
  let waitingBytes = 0;
  let unmeasuredBytes = measureBytes;
  let elementsPerStep = 0;
  // Kept until the next one, so that no compiler finds it unused.
  let filler: unknown[] = [];

  /** Called for every step. */
  function watchRate(bytes: number): void {
    const nowMs = performance.now();
    if (nowMs - secondBeganMs > secondMs) {
      isBulk = secondBytes >= bulkBytes && nowMs - secondBeganMs < 2 * secondMs;
      secondBeganMs = nowMs;
      secondBytes = 0;
    }
    secondBytes += bytes;
    if (secondBytes >= bulkBytes) isBulk = true;
  }

  return (bytes) => {
    waitingBytes += bytes;
    if (waitingBytes < stepBytes) return;
    watchRate(waitingBytes);
    if (!isBulk) {
      waitingBytes = 0;
      return;
    }
    unmeasuredBytes += waitingBytes;
    if (unmeasuredBytes >= measureBytes) {
      unmeasuredBytes = 0;
      elementsPerStep = Math.ceil((youngBytes() * stepBytes) / bytesPerMinorCollection / 8);
    }
    for (; waitingBytes >= stepBytes; waitingBytes -= stepBytes) {
      for (let left = elementsPerStep; left > 0; left -= maxElements) filler = new Array(Math.min(left, maxElements));
    }
    filler.length = 0;
  };
}

/** How much fits into the young generation, in bytes; 0 where the engine has none, or does not tell. */
function youngBytes(): number {
  if ("Bun" in globalThis) return 0;
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return young === undefined ? 0 : young.space_used_size + young.space_available_size;
}
