/**
 * The known name that a misspelt one was probably meant to be: at most two characters off, case aside.
 *
 * @returns `undefined` where nothing comes near
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = 3;
  for (const candidate of known) {
    const distance = distanceOf(name.toLowerCase(), candidate.toLowerCase());
    // Half of a short name would make anything of it.
    if (distance < least && distance * 2 < candidate.length) [nearest, least] = [candidate, distance];
  }
  return nearest;
}

/** How many characters have to be added, left out or replaced (Levenshtein). Names are short; a peer's are not. */
function distanceOf(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > 2) return Infinity;
  let previous = Array.from({ length: right.length + 1 }, (_each, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (previous[column - 1] as number) + Number(left[row - 1] !== right[column - 1]);
      current.push(Math.min(replaced, (previous[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[right.length] as number;
}
