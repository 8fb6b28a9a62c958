/** Replaces what patterns match in a text that arrives in pieces. */
export interface TextRedactor {
  /** @returns what is settled of the text so far */
  push(text: string): string;
  /** The text is over. */
  end(): string;
}

/**
 * A match may begin in one piece and end in another, so the end of what has arrived is held back.
 *
 * @param patterns with the flag `g`
 * @param maxMatchChars longest match that is found across pieces
 * @param lineBreak after it no match goes on, so that what came before need not be held back
 */
export function createTextRedactor(
  patterns: readonly RegExp[],
  replacement: string,
  maxMatchChars: number,
  lineBreak?: string,
): TextRedactor {
  let held = "";
  const redact = (text: string): string =>
    patterns.reduce((redacted, pattern) => redacted.replace(pattern, () => replacement), text);

  /** The last place before which everything is settled: no match that could still grow covers it. */
  function settledEnd(): number {
    const atBreak = lineBreak === undefined ? -1 : held.lastIndexOf(lineBreak);
    if (lineBreak !== undefined && atBreak >= 0) return atBreak + lineBreak.length;
    let end = held.length - maxMatchChars;
    if (end <= 0) return 0;
    // Matches that overlap the place move it to their start, over and over, since another may reach there.
    for (let moved = true; moved;) {
      moved = false;
      for (const pattern of patterns) {
        for (const { 0: matched, index } of held.matchAll(pattern)) {
          if (index >= end) break;
          if (index + matched.length <= end || matched.length > maxMatchChars) continue;
          end = index;
          moved = true;
        }
      }
    }
    return end;
  }

  return {
    push(text) {
      held += text;
      const end = settledEnd();
      const settled = redact(held.slice(0, end));
      held = held.slice(end);
      return settled;
    },
    end() {
      const settled = redact(held);
      held = "";
      return settled;
    },
  };
}
