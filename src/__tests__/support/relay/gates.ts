import { createServer } from "node:http";

/** Answers with what it received. */
export function echo() {
  const seen: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[] = [];
  const server = createServer((req, res) => {
    seen.push({ url: req.url, headers: req.headers });
    res.end("inside");
  });
  return { seen, server };
}

/** The status of a response, and the code that the relay refuses with. */
export const codeOf = ({ status, headers }: { status: number; headers: NodeJS.Dict<string | string[]> }): unknown[] => [
  status,
  headers["x-hoody-tunnel-error"],
];

/** What a visitor sends to a password gate. */
export const login = (secret: string, path = "/?x-runner-gate=password") => ({
  method: "POST",
  path,
  headers: { "content-type": "application/x-www-form-urlencoded", accept: "text/html" },
  body: `password=${encodeURIComponent(secret)}`,
});
