import type { Tally } from "./limits";

/** States by where they stand in a part of an expression. */
interface Fragment {
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** In how many ways the part may stand for nothing. */
  readonly empty: number;
  /** Whether something in it may do so in two ways, which is one too many in a loop. */
  readonly vague?: boolean | undefined;
  /** In how many ways it can be gone through, at most. */
  readonly ways: number;
  /** Whether one alternative begins like another. */
  readonly overlaps?: boolean;
}

/** More states, and more steps, than an expression takes that a person writes. */
const maxStates = 1000;
const maxSteps = 50_000;
/** What a step, and reading a unit of the expression, is charged as. */
const charsPerStep = 64;
const charsPerUnit = 64;
/** A part that may occur more often is a loop, and so is one whose repeats might be gone through in more ways. */
const maxCopies = 64;
const maxWays = 10_000;
/** Loops in a row that take each other's text; of as many, the time grows with the third power of the text's length. */
const maxRow = 3;

const nothing: Fragment = { first: [], last: [], empty: 1, ways: 1 };

/**
 * Whether a regular expression may take exponential time on some text.
 *
 * Refused are loops that can be gone through in two ways on the same text: `(a+)+`, `(\w|\d)+`, `(a|aa)*`, but not
 * `(-[a-z]+)*`. A loop is what repeats without a bound, or within one that leaves as many ways; other repeats are
 * written out. Refused as well are references to groups, lookarounds inside lookarounds, loops over what may be empty
 * or whose alternatives begin alike, and four loops in a row that take each other's text.
 *
 * The expression becomes an automaton with a state for every character it may stand at (Glushkov's construction).
 *
 * @param tally is charged for the work
 */
export function isUnsafeRegExp({ source, flags }: RegExp, tally?: Tally): boolean {
  // Without a repeat there is no loop.
  if (!/[*+?{]|\\[1-9k]/.test(source)) return false;
  const isUnicode = /[uv]/.test(flags);
  /** What each state takes, as an expression for one character. */
  const kinds: string[] = [];
  const followers: Set<number>[] = [];
  /** How many loops, the state's own the last, stand in a row. */
  const rows: number[] = [];
  const samples = new Map<string, ReadonlySet<string>>();
  // What only means one character with the flag `u` is one unit without it, of which nothing is known.
  const character = new RegExp(
    "\\\\(?:[up]\\{.*?\\}|u[\\da-f]{4}|x[\\da-f]{2}|c[a-z]|[^])|[^]",
    isUnicode ? "iuy" : "iy",
  );
  let steps = 0;
  let index = 0;
  let isLooking = false;

  try {
    parseChoice();
    return false;
  } catch {
    // What is refused is refused at once, so that it takes no more work; so is what overflows the stack.
    return true;
  } finally {
    tally?.add(0, steps * charsPerStep + source.length * charsPerUnit);
  }

  function refuse(): never {
    throw new Error("Unsafe RegExp pattern");
  }

  /** Counts work. */
  function step(count = 1): void {
    steps += count;
    if (steps > maxSteps) refuse();
  }

  /** What a sticky expression matches here, which is behind us then. */
  function take(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = index;
    const match = sticky.exec(source);
    if (match) index = sticky.lastIndex;
    return match;
  }

  function parseChoice(): Fragment {
    const texts: string[] = [];
    const options: Fragment[] = [];
    do {
      const start = index;
      options.push(parseSequence());
      texts.push(source.slice(start, index));
    } while (take(/\|/y));
    if (!options[1]) return options[0]!;
    return {
      first: options.flatMap(({ first }) => first),
      last: options.flatMap(({ last }) => last),
      empty: options.reduce((sum, { empty }) => sum + empty, 0),
      vague: options.some(({ vague }) => vague),
      ways: options.reduce((sum, { ways }) => sum + ways, 0),
      overlaps: texts.some((text, at) => texts.some((other, its) => at !== its && text.startsWith(other))),
    };
  }

  function parseSequence(): Fragment {
    let whole = nothing;
    let isFirst = true;
    while (index < source.length && !/[|)]/.test(source[index]!)) {
      const part = parseRepeat();
      whole = isFirst ? part : join(whole, part);
      isFirst = false;
    }
    return whole;
  }

  function parseRepeat(): Fragment {
    const start = index;
    const firstState = kinds.length;
    const body = parseAtom();
    const quantifier = take(/(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y);
    if (!quantifier) return body;
    const after = index;
    const [, sign, least, comma, most] = quantifier;
    const min = sign === "+" ? 1 : Number(least ?? 0);
    const max = sign === "?" ? 1 : sign || (comma && !most) ? Infinity : Number(most || min);
    const ways = max > maxCopies ? Infinity : body.ways ** max * (max - min + 1);
    if (max > maxCopies || (ways > maxWays && max > 1)) {
      if (body.empty || body.vague || body.overlaps) refuse();
      connect(body.last, body.first);
      checkLoop(firstState);
      return { ...body, empty: min ? 0 : 1, ways };
    }
    const copies = [body];
    while (copies.length < max) {
      step();
      index = start;
      copies.push(parseAtom());
    }
    index = after;
    // From behind: a copy that may be missing stands only behind the one before.
    const whole = copies.reduceRight((rest, copy, at) => {
      const joined = rest === nothing ? copy : join(copy, rest);
      return at < min ? joined : { ...joined, empty: 1 };
    }, nothing);
    return { ...(max ? whole : nothing), ways };
  }

  function parseAtom(): Fragment {
    switch (source[index]) {
      case "(":
        return parseGroup();
      case "[":
        return addClass();
      case "^":
      case "$":
        index += 1;
        return nothing;
      case "\\":
        if (take(/\\b/iy)) return nothing;
        if (!take(/\\(?:[1-9]\d*|k<[^>]*>)/y)) break;
        refuse();
        return nothing;
      default:
    }
    return addState(take(character)![0]);
  }

  function parseGroup(): Fragment {
    const isLook = /[=!]$/.test(take(/\((?:\?(?:<?[=!]|<[^>]*>|[a-z-]*:))?/y)![0]);
    if (isLook && isLooking) refuse();
    isLooking ||= isLook;
    const inner = parseChoice();
    index += 1;
    if (!isLook) return inner;
    isLooking = false;
    return nothing;
  }

  function addClass(): Fragment {
    const kind = take(/\[(?:\\[^]|[^\]\\])*\]/y)![0];
    // With this flag there are classes in classes.
    if (flags.includes("v") && kind.includes("[", 1)) refuse();
    return addState(kind);
  }

  function addState(kind: string): Fragment {
    const states = [kinds.push(kind) - 1];
    if (kinds.length > maxStates) refuse();
    followers.push(new Set());
    rows.push(1);
    return { first: states, last: states, empty: 0, ways: 1 };
  }

  function join(before: Fragment, after: Fragment): Fragment {
    connect(before.last, after.first);
    return {
      first: before.empty ? [...before.first, ...after.first] : before.first,
      last: after.empty ? [...before.last, ...after.last] : after.last,
      empty: before.empty * after.empty,
      vague: before.vague || after.vague || before.empty > 1 || after.empty > 1,
      ways: before.ways * after.ways,
    };
  }

  /** Lets every state of `to` follow every state of `from`. */
  function connect(from: readonly number[], to: readonly number[]): void {
    for (const state of from) {
      for (const next of to) {
        // A loop in a loop: each of the two could have come back.
        step();
        if (followers[state]!.has(next)) refuse();
        if (followers[state]!.has(state) && followers[next]!.has(next) && overlap(state, next)) {
          rows[next] = Math.max(rows[next]!, rows[state]! + 1);
          if (rows[next] > maxRow) refuse();
        }
        followers[state]!.add(next);
      }
    }
  }

  /**
   * Refuses a loop, its states being those from `start` on, around which one text leads in two ways. All its states lead
   * to each other, so it is enough that two ways part at a state, and that they meet again.
   */
  function checkLoop(start: number): void {
    const seen = new Set<number>();
    const apart: [number, number][] = [];
    const follow = (one: number, other: number): void => {
      for (const next of followers[one]!) {
        for (const otherNext of followers[other]!) {
          const pair = Math.min(next, otherNext) * maxStates + Math.max(next, otherNext);
          step();
          if ((next === otherNext && one === other) || seen.has(pair)) continue;
          if (next === otherNext) refuse();
          seen.add(pair);
          if (overlap(next, otherNext)) apart.push([next, otherNext]);
        }
      }
    };
    for (let state = start; state < kinds.length; state += 1) follow(state, state);
    for (const [one, other] of apart) follow(one, other);
  }

  /** Whether a character exists that both states take. What takes nothing of the sample may take anything. */
  function overlap(one: number, other: number): boolean {
    step();
    if (kinds[one] === kinds[other]) return true;
    const sample = sampleOf(kinds[one]!);
    const otherSample = sampleOf(kinds[other]!);
    if (!sample.size || !otherSample.size) return true;
    for (const taken of sample) {
      step(0.2);
      if (otherSample.has(taken)) return true;
    }
    return false;
  }

  /** The characters of the sample that a kind takes. */
  function sampleOf(kind: string): ReadonlySet<string> {
    let taken = samples.get(kind);
    if (!taken) {
      step(200);
      taken = new Set(sampleText(source).match(new RegExp(kind, flags.replace(/[gy]/g, "") + "g")));
      samples.set(kind, taken);
    }
    return taken;
  }
}

/** Characters that tell kinds apart: those of ASCII, some others, and those that the expression names. */
function sampleText(source: string): string {
  const ascii = String.fromCharCode(...Array(128).keys());
  const named = source.replace(/\\(?:u\{?|x)([\da-f]+)\}?/gi, (_all, code: string) =>
    String.fromCodePoint(Math.min(parseInt(code.slice(0, 6), 16), 0x10ffff)),
  );
  return `${ascii}é中\u2028😀${source}${named}`;
}
