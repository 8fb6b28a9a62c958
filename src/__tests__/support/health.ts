import type { TestExposure } from "./exposure";

/** What a probe says. */
export interface ProbeReply {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: { readonly status: string; readonly checks: Record<string, ProbedCheck> };
}

export interface ProbedCheck {
  readonly status: string;
  readonly ms: number;
  readonly output?: string;
}

/** Asks as strangers do: a proxy on this machine, which is no local program. */
export const stranger = { "x-forwarded-for": "203.0.113.7" };

export async function probe(
  { port }: Pick<TestExposure, "port">,
  path: string,
  headers: Record<string, string> = stranger,
): Promise<ProbeReply> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  const body = (await reply.json()) as ProbeReply["body"];
  return { status: reply.status, contentType: reply.headers.get("content-type"), body };
}
