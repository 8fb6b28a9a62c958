import type { SourceFile } from "./scanSources";

/** Where the definitions of an application are made, as far as their ids stand in the source as text. */
export interface DefinitionIndex {
  add(file: SourceFile): void;
  /** The first place that makes a definition of this id. */
  find(id: string): { readonly file: string; readonly line: number } | undefined;
  /** Ids of events, in the order found. */
  readonly events: ReadonlySet<string>;
}

/** An application has thousands of ids; more than this is left without lines. */
const maxPlaces = 200_000;

export function createDefinitionIndex(): DefinitionIndex {
  const places = new Map<string, { file: string; line: number }>();
  const events = new Set<string>();
  return {
    events,
    find: (id) => places.get(id),
    add({ path, tokens }) {
      tokens.forEach(({ kind, text, line }, index) => {
        if (kind !== "string" || places.size >= maxPlaces) return;
        const before = tokens[index - 1]?.text;
        // `r.task("id")`, or `id: "id"` of an object.
        const isMade = before === "(" || (before === ":" && tokens[index - 2]?.text === "id");
        if (!isMade) return;
        if (!places.has(text)) places.set(text, { file: path, line });
        if (makesEvent(tokens.slice(Math.max(0, index - 40), index).map((token) => token.text))) events.add(text);
      });
    },
  };
}

/** Whether the words before an id are `r.event<…>(`, `event({ id:` or `defineEvent({ id:`. */
function makesEvent(words: readonly string[]): boolean {
  let at = words.length - 1;
  if (words[at] === ":") {
    if (words[at - 2] !== "{" || words[at - 3] !== "(") return false;
    at -= 3;
  }
  at -= 1;
  if (words[at] === ">") {
    for (let depth = 0; at >= 0; at -= 1) {
      if (words[at] === ">" && words[at - 1] !== "=") depth += 1;
      if (words[at] === "<" && --depth === 0) break;
    }
    at -= 1;
  }
  return words[at] === "event" || words[at] === "defineEvent";
}
