import fc from "fast-check";
import { isUnsafeRegExp } from "./regexpGuard";
import { Serializer } from "./Serializer";

const accepted = [
  /^(\d{3}-)?\d{4}$/,
  /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
  /^(\d{1,3}\.){3}\d{1,3}$/,
  /^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$/,
  /(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}/,
  /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  /^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$/,
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/,
  /^\d{4}-\d{2}-\d{2}$/,
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/,
  /^P(?!$)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$/,
  /^(([01]?\d|2[0-3]):)?[0-5]?\d$/,
  /^((\d{1,2}\.){2}\d{4}|\d{4}(-\d{2}){2})$/,
  /^(?=.*[A-Z])(?=.*\d)(?=.*[^\w]).{8,}$/,
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i,
  /^#?([a-f0-9]{6}|[a-f0-9]{3})$/,
  /^(?:[0-9a-f]{2})+$/,
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  /^(?:[\w-]+\.)+[a-z]{2,}$/,
  /^(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z]{2,63}$/,
  /^(https?:\/\/)?([\da-z.-]+)\.([a-z.]{2,6})(\/[\w.-]*)*\/?$/,
  /^\+?[1-9]\d{1,14}$/,
  /^\d{1,3}(,\d{3})*(\.\d+)?$/,
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13})$/,
  /"(?:[^"\\]|\\.)*"/,
  /\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//,
  /<!--(?:(?!-->)[\s\S])*-->/,
  /^\s*(?:\w+\s*,\s*)*\w+\s*$/,
  /^\s*(.*?)\s*$/,
  /^\s+|\s+$/g,
  /^(?:\r\n|\n)+$/,
  /^\p{L}+(?:[ '-]\p{L}+)*$/u,
  /^(?:👍|👎)+$/u,
  /(?<year>\d{4})-(?<month>\d{2})/,
  /^[\s\S]{1,5000}$/,
  /(foo|bar)*/,
  /(foo|far)+/,
  /(a{2})*/,
  /(a?)?/,
  /(a+)?/,
  /(a+){0}/,
  /(a+|b)/,
  /(a|aa)/,
  /(?:ab){2,}/,
  /a{x}*/,
  /[(a+)+]/,
  /[)+*\]a]+/,
  /\(a+\)+/,
  /(a\+)+/,
  /(?<=a)b+/,
];

const refused = [
  /^(\w|\d)+$/,
  /(a|a)*/,
  /(a|ab)*c/,
  /(.*)*/,
  /(a+)+/,
  /(a*)*/,
  /(a?)+/,
  /((a+)b?)*/,
  /(?:a+b?)+/,
  /(a{1,}){2,}/,
  /(a{1,}){3}/,
  /(?<name>a+)*/,
  /([^)]+)+/,
  /^(\w+\s?)*$/,
  /(\s*\w+\s*)*/,
  /(a|aa)+/,
  /(aa|a)*/,
  /(a|)+/,
  /(x+x+)+y/,
  /([a-zA-Z]+)*/,
  /(a+)*?b/,
  /(a|A)*b/i,
  /(.|\n)*x/s,
  /(\d+|\d+x)*/,
  /(?:(?:a|b)|(?:b|c))*/,
  /(?:[a-f]|[d-k])+z/,
  /(?:\D|[^1-9])+/,
  /(?:\u{1F600}|😀)*/u,
  /(?:é|\xe9)*/,
  /(x(?:|))*/,
  /(x(?:y?|z?))*/,
  /(?:\r\n|\r|\n)*/,
  /(?:[01]?\d\d?\.)*x/,
  /^(.*,)*$/,
  /^(?:.*a){12}$/,
  /(.*a){20}/,
  /^(a?){30}a{30}$/,
  /(a{0,30}){0,30}/,
  /([a-z]{1,8}){10}/,
  /\s*\s*\s*\s*\s*x/,
  /^([a-zA-Z0-9])(([-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$/,
  /^(([a-z])+.)+[A-Z]([a-z])+$/,
  /^(https?:\/\/)?([\da-z.-]+)\.([a-z.]{2,6})([/\w .-]*)*\/?$/,
  /(\/[\w.-]*\/?)*$/,
  /(?=(?=a))/,
  /(?=a(?!b))+/,
  /(?=a|aa)+/,
  /\B(?=(\d{3})+(?!\d))/g,
  /(a)\1/,
  /(['"]).*?\1/,
  /(?<x>a)\k<x>/,
];

describe("expressions", () => {
  it.each(accepted)("expressions that are common or harmless are accepted: %s", (expression) => {
    expect(isUnsafeRegExp(expression)).toBe(false);
  });

  it.each(refused)("expressions that may take exponential time, or cannot be judged, are refused: %s", (expression) => {
    expect(isUnsafeRegExp(expression)).toBe(true);
  });

  it("expressions are judged on reading alone, and not where that is switched off", () => {
    const text = new Serializer().stringify(/(a+)+/);

    expect(() => new Serializer().parse(text)).toThrow("Unsafe RegExp pattern");
    expect(new Serializer({ allowUnsafeRegExp: true }).parse(text)).toEqual(/(a+)+/);
    expect(new Serializer().parse(new Serializer().stringify(/^(\d{3}-)?\d{4}$/))).toEqual(/^(\d{3}-)?\d{4}$/);
  });

  it.each(["(", "a|", "[^a]", "a{1,9}", "(a|b)", "(?:ab?)?", "(a{1,9}b)*", "[ab]*,", "(?=a)", "\\d", "(((a)*))"])(
    "expressions made to keep the screen busy are given up on: %s",
    (piece) => {
      const pattern = piece.repeat(Math.floor(1024 / piece.length));
      const tally = { chars: 0, add: (_values: number, chars: number): void => void (tally.chars += chars) };
      const closed = pattern + ")".repeat(pattern.split("(").length - pattern.split(")").length);

      isUnsafeRegExp(new RegExp(closed), tally as never);

      expect(tally.chars).toBeLessThan(4_000_000);
    },
  );
});

/** A part of an expression, as source and as what a matcher that backtracks does with it. */
interface Part {
  readonly source: string;
  /** Continues with what stands behind; counts on the way. */
  match(text: string, at: number, next: (at: number) => boolean): boolean;
}

let steps = 0;
const tooMany = new Error("too many steps");
function count(): void {
  steps += 1;
  if (steps > 2_000_000) throw tooMany;
}

const character = (source: string): Part => ({
  source,
  match(text, at, next) {
    count();
    return at < text.length && new RegExp(`^${source}$`).test(text[at] ?? "") && next(at + 1);
  },
});
const sequence = (parts: readonly Part[]): Part => ({
  source: parts.map(({ source }) => source).join(""),
  match: (text, at, next) =>
    parts.reduceRight<(at: number) => boolean>((rest, part) => (from) => part.match(text, from, rest), next)(at),
});
const choice = (options: readonly Part[]): Part => ({
  source: `(?:${options.map(({ source }) => source).join("|")})`,
  match: (text, at, next) => options.some((option) => option.match(text, at, next)),
});
const repeat = (body: Part, min: number, max: number): Part => ({
  source: `(?:${body.source}){${min},${max === Infinity ? "" : max}}`,
  match(text, at, next) {
    const again = (from: number, times: number): boolean => {
      count();
      const goOn = (to: number): boolean => (to > from || times < min ? again(to, times + 1) : false);
      return (times < max && body.match(text, from, goOn)) || (times >= min && next(from));
    };
    return again(at, 0);
  },
});

const { part: anyPart } = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4, depthIdentifier: "part" },
    fc.constantFrom("a", "b", "c", "[ab]", "[bc]", ".", "[^a]").map(character),
    fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map(sequence),
    fc.array(tie("part"), { minLength: 2, maxLength: 3 }).map(choice),
    fc
      .tuple(tie("part"), fc.constantFrom([0, Infinity], [1, Infinity], [0, 1], [0, 3], [2, 2]))
      .map(([body, [min, max]]) => repeat(body, min as number, max)),
  ),
}));

it("takes few steps with every expression that was accepted, on texts made of its loops", () => {
  fc.assert(
    fc.property(
      anyPart,
      fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 }),
      fc.constantFrom("", "a", "c"),
      (part, pump, start) => {
        fc.pre(!isUnsafeRegExp(new RegExp(`^${part.source}$`)));
        const text = `${start}${pump.join("").repeat(24).slice(0, 24)}!`;
        steps = 0;

        part.match(text, 0, (at) => at === text.length);

        // Three loops in a row may be there, the third power of 24, times their alternatives; doubling makes millions.
        expect(steps).toBeLessThan(2_000_000);
      },
    ),
    { numRuns: 3000 },
  );
});
