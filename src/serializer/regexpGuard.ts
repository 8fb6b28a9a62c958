/**
 * Whether a pattern may take exponential time on some input.
 *
 * A screen, not a proof: it refuses a quantified group that contains a quantifier (`(a+)+`) or whose alternatives
 * start alike (`(a|aa)+`). Linear in the length of the pattern, apart from sorting alternatives.
 */
export function isUnsafePattern(pattern: string): boolean {
  const groups: OpenGroup[] = [];
  let index = 0;

  while (index < pattern.length) {
    const character = pattern[index];
    if (character === "\\") {
      index += 2;
    } else if (character === "[") {
      index = endOfClass(pattern, index);
    } else if (character === "(") {
      const start = index + 1 + groupModifier(pattern, index + 1);
      groups.push({ quantified: false, alternatives: [], start });
      index = start;
    } else if (character === "|") {
      const group = groups.at(-1);
      if (group) closeAlternative(group, pattern, index);
      index += 1;
    } else if (character === ")") {
      const group = groups.pop();
      const repeated = quantifierLength(pattern, index + 1) > 0;
      if (group) {
        closeAlternative(group, pattern, index);
        if (repeated && (group.quantified || overlap(group.alternatives))) return true;
        const parent = groups.at(-1);
        if (parent && group.quantified) parent.quantified = true;
      }
      index += 1;
    } else {
      const length = quantifierLength(pattern, index);
      const group = groups.at(-1);
      if (length > 0 && group) group.quantified = true;
      index += length || 1;
    }
  }
  return false;
}

interface OpenGroup {
  quantified: boolean;
  readonly alternatives: string[];
  /** Where the alternative being read begins. */
  start: number;
}

function closeAlternative(group: OpenGroup, pattern: string, end: number): void {
  group.alternatives.push(pattern.slice(group.start, end));
  group.start = end + 1;
}

/** In sorted order an alternative stands right before one that starts with it. */
function overlap(alternatives: readonly string[]): boolean {
  const sorted = [...alternatives].sort();
  return sorted.some((alternative, index) => index > 0 && alternative.startsWith(sorted[index - 1] as string));
}

/** Length of `?:`, `?=`, `?<!`, `?<name>` and their like, which are no quantifiers. */
function groupModifier(pattern: string, index: number): number {
  return matchAt(/\?(?:[:=!]|<[=!]|<[^>()]*>)?/y, pattern, index);
}

function quantifierLength(pattern: string, index: number): number {
  return matchAt(/[*+?]|\{(?:\d+,?\d*|,\d+)\}/y, pattern, index);
}

function matchAt(sticky: RegExp, text: string, index: number): number {
  sticky.lastIndex = index;
  return sticky.exec(text)?.[0].length ?? 0;
}

function endOfClass(pattern: string, start: number): number {
  let index = start + 1;
  while (index < pattern.length && pattern[index] !== "]") index += pattern[index] === "\\" ? 2 : 1;
  return index + 1;
}
