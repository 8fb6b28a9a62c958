/** A link of a Markdown page to a file of the repository, or to a heading of the page itself. */
export interface PageLink {
  readonly link: string;
  /** Relative to the page; empty for a link within it. */
  readonly path: string;
  /** Without the `#`; empty where the link has none. */
  readonly anchor: string;
}

/** The links of a page that lead neither to another site nor to an address of another scheme. */
export function linksOf(text: string): PageLink[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link))
    .map((link) => {
      const [path = "", anchor = ""] = link.split("#");
      return { link, path, anchor };
    });
}

/** What a link to the page can name behind `#`: its headings as GitHub writes them, and `<a id="…">`. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id));
  for (const [, heading = ""] of withoutFences(text).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = toSlug(heading);
    let unique = slug;
    for (let copy = 1; anchors.has(unique); copy += 1) unique = `${slug}-${copy}`;
    anchors.add(unique);
  }
  return anchors;
}

/** GitHub's rule: lower case, punctuation dropped, each space a hyphen. */
const toSlug = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

const withoutFences = (text: string): string => text.replace(/^( *)(`{3,})[^]*?^ *\2$/gm, "");

const withoutCode = (text: string): string => withoutFences(text).replace(/`[^`\n]*`/g, "");
