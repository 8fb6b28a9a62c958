/** What the page sends its form with, so that no form of the application is taken for it. */
export const gateParameter = "x-runner-gate";

export interface LoginPageFacts {
  readonly title: string;
  /** Query that the form is sent with, as it stands in a URL. */
  readonly query: string;
  readonly problem?: string | undefined;
}

/** A page that asks for a password; it loads nothing. */
export function renderLoginPage({ title, query, problem }: LoginPageFacts): string {
  const name = escapeHtml(title);
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<meta name="robots" content="noindex"><title>${name}</title>`,
    `<style>body{font:16px system-ui,sans-serif;display:grid;place-items:center;min-height:90vh;margin:0}`,
    `form{display:grid;gap:.75rem;width:min(20rem,90vw)}h1{font-size:1.25rem;margin:0}input,button{font:inherit;padding:.5rem}</style>`,
    `<form method="post" action="${escapeHtml(query)}"><h1>${name}</h1>`,
    problem === undefined ? "" : `<p role="alert">${escapeHtml(problem)}</p>`,
    `<label for="password">Password</label>`,
    `<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>`,
    `<button>Continue</button></form></html>`,
  ].join("");
}

/** Headers of the page: it can neither be framed nor send its form elsewhere. */
export const loginPageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
};

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] as string);
