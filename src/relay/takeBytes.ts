/** Moves so many bytes from the front of a queue, which holds at least that many, to the end of `pieces`, without copying any. */
export function takeBytes(queue: Uint8Array[], bytes: number, pieces: Uint8Array[]): void {
  let left = bytes;
  let whole = 0;
  for (const chunk of queue) {
    if (chunk.length > left) break;
    pieces.push(chunk);
    left -= chunk.length;
    whole += 1;
  }
  queue.splice(0, whole);
  if (left === 0) return;
  const chunk = queue[0] as Uint8Array;
  pieces.push(chunk.subarray(0, left));
  queue[0] = chunk.subarray(left);
}
