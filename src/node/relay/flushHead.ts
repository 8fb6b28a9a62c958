import type { ServerResponse } from "node:http";

/**
 * Sends the head of a response whose body is still to come.
 *
 * Node's own `flushHeaders` writes it in UTF-8, although every character of a header stands for one byte.
 */
export function flushHead(res: ServerResponse): void {
  // Corked by itself, it leaves now and not in the next turn.
  res.cork();
  res.write(noBytes);
  res.uncork();
}

const noBytes = /* @__PURE__ */ new Uint8Array(0);
